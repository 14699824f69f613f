;; Sums over a grey picture and its flat points, sixteen pixels at a time. light.ts holds it as bytes, and light.test.ts checks that these bytes are
;; what is written here. All pointers are bytes from the beginning of the memory.
(module
  (import "" "m" (memory 1 65536))
  (func (export "l")
    (param $at i32)       ;; the picture, and then the place in it
    (param $end i32)      ;; its end, a whole number of sixteens further
    (param $width i32)    ;; bytes of a row
    (param $before i32)   ;; from the picture to the one before
    (param $inside i32)   ;; from the picture to its mask: 255 where a point has all eight neighbours
    (param $shadow i32)   ;; darker points do not count
    (param $level i32)    ;; the most by which the points around a flat one differ
    (param $out i32)      ;; where the results go: twelve numbers of 32 bits, four to be added for each sum, and the two counts
    (local $flat i32)
    (local $all i32)
    (local $row i32)      ;; the place in the row above or below
    (local $here v128)
    (local $least v128)
    (local $most v128)
    (local $counts v128)  ;; 255 for each point that counts
    (local $last v128)    ;; the picture before
    (local $sum v128)
    (local $squares v128)
    (local $change v128)
    loop $sixteen
      local.get $at
      v128.load offset=0 align=1
      local.tee $here
      local.tee $least
      local.set $most

      local.get $least
      local.get $at
      i32.const 1
      i32.sub
      v128.load offset=0 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most
      local.get $least
      local.get $at
      v128.load offset=1 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most

      local.get $at
      local.get $width
      i32.sub
      i32.const 1
      i32.sub
      local.set $row
      local.get $least
      local.get $row
      v128.load offset=0 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most
      local.get $least
      local.get $row
      v128.load offset=1 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most
      local.get $least
      local.get $row
      v128.load offset=2 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most

      local.get $at
      local.get $width
      i32.add
      i32.const 1
      i32.sub
      local.set $row
      local.get $least
      local.get $row
      v128.load offset=0 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most
      local.get $least
      local.get $row
      v128.load offset=1 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most
      local.get $least
      local.get $row
      v128.load offset=2 align=1
      local.tee $last
      i8x16.min_u
      local.set $least
      local.get $most
      local.get $last
      i8x16.max_u
      local.set $most

      local.get $here
      local.get $shadow
      i8x16.splat
      i8x16.ge_u
      local.get $at
      local.get $inside
      i32.add
      v128.load offset=0 align=1
      v128.and
      local.tee $counts
      i8x16.bitmask
      i32.popcnt
      local.get $all
      i32.add
      local.set $all
      local.get $level
      i8x16.splat
      local.get $most
      local.get $least
      i8x16.sub
      i8x16.ge_u
      local.get $counts
      v128.and
      i8x16.bitmask
      i32.popcnt
      local.get $flat
      i32.add
      local.set $flat

      local.get $here
      i16x8.extadd_pairwise_i8x16_u
      i32x4.extadd_pairwise_i16x8_u
      local.get $sum
      i32x4.add
      local.set $sum
      local.get $here
      local.get $here
      i16x8.extmul_low_i8x16_u
      i32x4.extadd_pairwise_i16x8_u
      local.get $here
      local.get $here
      i16x8.extmul_high_i8x16_u
      i32x4.extadd_pairwise_i16x8_u
      i32x4.add
      local.get $squares
      i32x4.add
      local.set $squares
      local.get $here
      local.get $at
      local.get $before
      i32.add
      v128.load offset=0 align=1
      local.tee $last
      i8x16.sub_sat_u
      local.get $last
      local.get $here
      i8x16.sub_sat_u
      v128.or
      i16x8.extadd_pairwise_i8x16_u
      i32x4.extadd_pairwise_i16x8_u
      local.get $change
      i32x4.add
      local.set $change

      local.get $at
      i32.const 16
      i32.add
      local.tee $at
      local.get $end
      i32.lt_u
      br_if $sixteen
    end

    local.get $out
    local.get $sum
    v128.store offset=0 align=1
    local.get $out
    local.get $squares
    v128.store offset=16 align=1
    local.get $out
    local.get $change
    v128.store offset=32 align=1
    local.get $out
    local.get $flat
    i32.store offset=48 align=1
    local.get $out
    local.get $all
    i32.store offset=52 align=1
  )
)
