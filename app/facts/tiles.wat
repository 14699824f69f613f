;; How much a tile of eight by eight points differs from each place of a window in another picture: the sums of the differences of its grey levels.
;; camera.ts holds it as bytes, and camera.test.ts checks that these bytes are what is written here. All pointers are bytes from the beginning of the
;; memory.
(module
  (import "" "m" (memory 1 65536))
  (func (export "t")
    (param $tile i32)     ;; the tile
    (param $window i32)   ;; the place of the window where it is compared first, and then the next
    (param $width i32)    ;; bytes of a row of both pictures
    (param $columns i32)  ;; of the window
    (param $rows i32)     ;; of the window, and then how many are left
    (param $out i32)      ;; where the next sum goes, 32 bits each
    (local $left i32)     ;; places left in the row of the window
    (local $place i32)    ;; a row of the tile at the place
    (local $first v128)   ;; the tile, two rows each
    (local $second v128)
    (local $third v128)
    (local $fourth v128)
    (local $two v128)     ;; two rows of the place
    (local $sums v128)
    local.get $tile
    v128.load64_zero offset=0 align=1
    local.set $first
    local.get $tile
    local.get $width
    i32.add
    local.tee $tile
    local.get $first
    v128.load64_lane offset=0 align=1 1
    local.set $first
    local.get $tile
    local.get $width
    i32.add
    local.set $tile

    local.get $tile
    v128.load64_zero offset=0 align=1
    local.set $second
    local.get $tile
    local.get $width
    i32.add
    local.tee $tile
    local.get $second
    v128.load64_lane offset=0 align=1 1
    local.set $second
    local.get $tile
    local.get $width
    i32.add
    local.set $tile

    local.get $tile
    v128.load64_zero offset=0 align=1
    local.set $third
    local.get $tile
    local.get $width
    i32.add
    local.tee $tile
    local.get $third
    v128.load64_lane offset=0 align=1 1
    local.set $third
    local.get $tile
    local.get $width
    i32.add
    local.set $tile

    local.get $tile
    v128.load64_zero offset=0 align=1
    local.set $fourth
    local.get $tile
    local.get $width
    i32.add
    local.tee $tile
    local.get $fourth
    v128.load64_lane offset=0 align=1 1
    local.set $fourth

    loop $row
      local.get $columns
      local.set $left
      loop $column
        local.get $window
        local.set $place

        local.get $place
        v128.load64_zero offset=0 align=1
        local.set $two
        local.get $place
        local.get $width
        i32.add
        local.tee $place
        local.get $two
        v128.load64_lane offset=0 align=1 1
        local.tee $two
        local.get $first
        i8x16.sub_sat_u
        local.get $first
        local.get $two
        i8x16.sub_sat_u
        v128.or
        i16x8.extadd_pairwise_i8x16_u
        local.set $sums
        local.get $place
        local.get $width
        i32.add
        local.set $place

        local.get $place
        v128.load64_zero offset=0 align=1
        local.set $two
        local.get $place
        local.get $width
        i32.add
        local.tee $place
        local.get $two
        v128.load64_lane offset=0 align=1 1
        local.tee $two
        local.get $second
        i8x16.sub_sat_u
        local.get $second
        local.get $two
        i8x16.sub_sat_u
        v128.or
        i16x8.extadd_pairwise_i8x16_u
        local.get $sums
        i16x8.add
        local.set $sums
        local.get $place
        local.get $width
        i32.add
        local.set $place

        local.get $place
        v128.load64_zero offset=0 align=1
        local.set $two
        local.get $place
        local.get $width
        i32.add
        local.tee $place
        local.get $two
        v128.load64_lane offset=0 align=1 1
        local.tee $two
        local.get $third
        i8x16.sub_sat_u
        local.get $third
        local.get $two
        i8x16.sub_sat_u
        v128.or
        i16x8.extadd_pairwise_i8x16_u
        local.get $sums
        i16x8.add
        local.set $sums
        local.get $place
        local.get $width
        i32.add
        local.set $place

        local.get $place
        v128.load64_zero offset=0 align=1
        local.set $two
        local.get $place
        local.get $width
        i32.add
        local.tee $place
        local.get $two
        v128.load64_lane offset=0 align=1 1
        local.tee $two
        local.get $fourth
        i8x16.sub_sat_u
        local.get $fourth
        local.get $two
        i8x16.sub_sat_u
        v128.or
        i16x8.extadd_pairwise_i8x16_u
        local.get $sums
        i16x8.add
        local.set $sums

        local.get $out
        local.get $sums
        i32x4.extadd_pairwise_i16x8_u
        local.tee $sums
        i32x4.extract_lane 0
        local.get $sums
        i32x4.extract_lane 1
        i32.add
        local.get $sums
        i32x4.extract_lane 2
        i32.add
        local.get $sums
        i32x4.extract_lane 3
        i32.add
        i32.store offset=0 align=4
        local.get $out
        i32.const 4
        i32.add
        local.set $out
        local.get $window
        i32.const 1
        i32.add
        local.set $window
        local.get $left
        i32.const 1
        i32.sub
        local.tee $left
        br_if $column
      end

      local.get $window
      local.get $width
      i32.add
      local.get $columns
      i32.sub
      local.set $window
      local.get $rows
      i32.const 1
      i32.sub
      local.tee $rows
      br_if $row
    end
  )
)
