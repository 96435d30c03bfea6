;; What javascript.wat needs from the solver, put where it looks for it: see $links there.
(module
  (import "javascript" "text" (memory $text 1))
  (import "javascript" "links" (table $links 12 funcref))
  (import "solver" "memory" (memory $solver 1))
  (import "solver" "__wbindgen_externrefs" (table $references 1 externref))
  (import "solver" "__wbindgen_malloc" (func $allocate (param i32 i32) (result i32)))
  (import "solver" "__externref_table_alloc" (func $place (result i32)))
  (import "solver" "wasm_bindgen__convert__closures_____invoke__hfa05cd88b20bca17"
    (func $call_one (param i32 i32 externref) (result i32 i32)))
  (import "solver" "wasm_bindgen__convert__closures_____invoke__h579b5183a0eee736"
    (func $call_for_each (param i32 i32 externref externref)))
  (import "solver" "wasm_bindgen__convert__closures_____invoke__h579b5183a0eee736_21"
    (func $call_executor (param i32 i32 externref externref)))
  (import "solver" "executeProgram"
    (func $execute (param i32 i32 externref externref) (result externref)))

  (func $copy_in (param $to i32) (param $from i32) (param $size i32)
    (memory.copy $text $solver (local.get $to) (local.get $from) (local.get $size)))

  (func $copy_out (param $to i32) (param $from i32) (param $size i32)
    (memory.copy $solver $text (local.get $to) (local.get $from) (local.get $size)))

  (func $store_i32 (param $at i32) (param $value i32)
    (i32.store $solver (local.get $at) (local.get $value)))

  (func $store_f64 (param $at i32) (param $value f64)
    (f64.store $solver (local.get $at) (local.get $value)))

  (func $register (param $reference externref) (result i32)
    (local $place i32)
    (local.set $place (call $place))
    (table.set $references (local.get $place) (local.get $reference))
    (local.get $place))

  (elem (table $links) (i32.const 0) func
    $copy_in $copy_out $store_i32 $store_f64 $allocate $register
    $call_one $call_for_each $call_executor $execute)

  ;; The solver finds undefined, null, true and false (handles 0 to 3) in four new places at the end
  ;; of its table, and undefined in the first one too.
  (func $fill
    (local $place i32) (local $handle i32)
    (local.set $place
      (table.grow $references (extern.convert_any (ref.i31 (i32.const 0))) (i32.const 4)))
    (table.set $references (i32.const 0) (extern.convert_any (ref.i31 (i32.const 0))))
    (loop $next
      (table.set $references
        (i32.add (local.get $place) (local.get $handle))
        (extern.convert_any (ref.i31 (local.get $handle))))
      (local.set $handle (i32.add (local.get $handle) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $handle) (i32.const 4)))))
  (start $fill)
)
