;; Dot products of one vector with the rows of a matrix, four floats an instruction. dots.ts holds it as bytes, and dots.test.ts checks that these
;; bytes are what is written here. All pointers are bytes from the beginning of the memory; a row and the vector have a multiple of eight floats.
(module
  (import "" "m" (memory 1 65536))
  (func (export "d")
    (param $at i32)       ;; the matrix, and then the place in it
    (param $rows i32)     ;; how many are left
    (param $stride i32)   ;; bytes of a row
    (param $query i32)    ;; the vector
    (param $out i32)      ;; where the next product goes
    (local $column i32)   ;; the place in the vector
    (local $row_end i32)
    (local $even v128)    ;; sums of the first four of each eight floats,
    (local $odd v128)     ;; and of the other four: two chains of additions run at once
    loop $row
      local.get $at
      local.get $stride
      i32.add
      local.set $row_end
      local.get $query
      local.set $column
      v128.const i64x2 0 0
      local.tee $even
      local.set $odd

      loop $eight
        local.get $even
        local.get $at
        v128.load offset=0 align=4
        local.get $column
        v128.load offset=0 align=4
        f32x4.mul
        f32x4.add
        local.set $even

        local.get $odd
        local.get $at
        v128.load offset=16 align=4
        local.get $column
        v128.load offset=16 align=4
        f32x4.mul
        f32x4.add
        local.set $odd

        local.get $column
        i32.const 32
        i32.add
        local.set $column
        local.get $at
        i32.const 32
        i32.add
        local.set $at
        local.get $at
        local.get $row_end
        i32.lt_u
        br_if $eight
      end

      local.get $even
      local.get $odd
      f32x4.add
      local.set $even
      local.get $out
      local.get $even
      f32x4.extract_lane 0
      local.get $even
      f32x4.extract_lane 1
      f32.add
      local.get $even
      f32x4.extract_lane 2
      f32.add
      local.get $even
      f32x4.extract_lane 3
      f32.add
      f32.store offset=0 align=4
      local.get $out
      i32.const 4
      i32.add
      local.set $out

      local.get $rows
      i32.const 1
      i32.sub
      local.tee $rows
      br_if $row
    end
  )
)
