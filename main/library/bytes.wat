;; Dot products of one vector of 16-bit integers with the rows of a matrix of signed bytes, four rows at a time so that each part of the vector is loaded
;; once for all of them. dots.ts holds it as bytes, and dots.test.ts checks that these bytes are what is written here. All pointers are bytes from the
;; beginning of the memory; there are a multiple of four rows, a row and the vector have a multiple of sixteen numbers, and sums fit into 32 bits.
(module
  (import "" "m" (memory 1 65536))
  (func (export "d")
    (param $at i32)       ;; the first of four rows, and then the place in it
    (param $rows i32)     ;; how many are left
    (param $stride i32)   ;; bytes of a row
    (param $query i32)    ;; the vector
    (param $out i32)      ;; where the next four sums go
    (local $column i32)   ;; the place in the vector
    (local $row_end i32)
    (local $second i32)   ;; the same place in the other three rows
    (local $third i32)
    (local $fourth i32)
    (local $some v128)    ;; eight numbers of the vector
    (local $a v128)       ;; four sums for each row
    (local $b v128)
    (local $c v128)
    (local $d v128)
    loop $row
      local.get $at
      local.get $stride
      i32.add
      local.tee $row_end
      local.tee $second
      local.get $stride
      i32.add
      local.tee $third
      local.get $stride
      i32.add
      local.set $fourth
      local.get $query
      local.set $column
      v128.const i64x2 0 0
      local.tee $a
      local.tee $b
      local.tee $c
      local.set $d

      loop $sixteen
        local.get $column
        v128.load offset=0 align=4
        local.set $some
        local.get $a
        local.get $at
        v128.load8x8_s offset=0 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $a
        local.get $b
        local.get $second
        v128.load8x8_s offset=0 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $b
        local.get $c
        local.get $third
        v128.load8x8_s offset=0 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $c
        local.get $d
        local.get $fourth
        v128.load8x8_s offset=0 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $d

        local.get $column
        v128.load offset=16 align=4
        local.set $some
        local.get $a
        local.get $at
        v128.load8x8_s offset=8 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $a
        local.get $b
        local.get $second
        v128.load8x8_s offset=8 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $b
        local.get $c
        local.get $third
        v128.load8x8_s offset=8 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $c
        local.get $d
        local.get $fourth
        v128.load8x8_s offset=8 align=1
        local.get $some
        i32x4.dot_i16x8_s
        i32x4.add
        local.set $d

        local.get $column
        i32.const 32
        i32.add
        local.set $column
        local.get $second
        i32.const 16
        i32.add
        local.set $second
        local.get $third
        i32.const 16
        i32.add
        local.set $third
        local.get $fourth
        i32.const 16
        i32.add
        local.set $fourth
        local.get $at
        i32.const 16
        i32.add
        local.tee $at
        local.get $row_end
        i32.lt_u
        br_if $sixteen
      end

      ;; Each row's four sums lie beside each other; added up, one for each row.
      local.get $a
      local.get $b
      i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23
      local.get $a
      local.get $b
      i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31
      i32x4.add
      local.set $a
      local.get $c
      local.get $d
      i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23
      local.get $c
      local.get $d
      i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31
      i32x4.add
      local.set $c
      local.get $out
      local.get $a
      local.get $c
      i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
      local.get $a
      local.get $c
      i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31
      i32x4.add
      v128.store offset=0 align=4
      local.get $out
      i32.const 16
      i32.add
      local.set $out

      local.get $fourth
      local.set $at
      local.get $rows
      i32.const 4
      i32.sub
      local.tee $rows
      br_if $row
    end
  )
)
