;; The part of JavaScript that the witness solver asks for, as WebAssembly.
;;
;; The solver was built for a browser: it takes its inputs from a Map, and puts every solved value,
;; as hexadecimal text, into another. Answered from Python, each of these calls costs more than the
;; solving behind it. Here they are answered next to the solver, and Python reads the outcome once.
;;
;; A reference is the handle of an object, a small number. Four memories hold what there is:
;;   $objects  16 bytes each: what it is (i32), unused (i32), then a number (f64) or two words (i32)
;;   $entries  12 bytes each: owner, key, value, for whatever was put into a map, array or object
;;   $text     the characters of all texts; those of the inputs come first, 66 for each
;;   $inputs   the witness index (i32) of each input
;; Nothing is ever freed: an instance serves one execution.
(module
  ;; Handles that are always there. The first one is zero, so that an empty field says "undefined".
  (global $UNDEFINED i32 (i32.const 0))
  (global $GLOBAL_THIS i32 (i32.const 4))
  (global $QUEUE_MICROTASK i32 (i32.const 5))
  (global $RESOLVE i32 (i32.const 6))
  (global $REJECT i32 (i32.const 7))
  (global $INPUT_MAP i32 (i32.const 8))
  (global $FOREIGN_CALL_HANDLER i32 (i32.const 9))
  (global $PROMISE i32 (i32.const 10))

  ;; What an object is.
  (global $NUMBER i32 (i32.const 1))
  (global $TEXT i32 (i32.const 2))
  (global $COLLECTION i32 (i32.const 3))
  (global $CLOSURE i32 (i32.const 4))

  (memory $objects (export "objects") 1)
  (memory $entries (export "entries") 1)
  (memory $text (export "text") 1)
  (memory $inputs (export "inputs") 1)
  (global $object_count (export "object_count") (mut i32) (i32.const 16))
  (global $entry_count (export "entry_count") (mut i32) (i32.const 0))
  (global $text_size (export "text_size") (mut i32) (i32.const 0))
  (global $input_count (export "input_count") (mut i32) (i32.const 0))

  ;; How the promise ended: $RESOLVE or $REJECT, zero before; and with which object.
  (global $outcome (export "outcome") (mut i32) (i32.const 0))
  (global $result (export "result") (mut i32) (i32.const 0))
  ;; The closure that waits to be run, if any.
  (global $task (mut i32) (i32.const 0))

  ;; The solver needs this module and this module needs the solver: what it needs is put into this
  ;; table, by bridge.wat, once both are there.
  (table $links (export "links") 12 funcref)
  (type $copy (func (param $to i32) (param $from i32) (param $size i32)))
  (type $store_i32 (func (param $at i32) (param $value i32)))
  (type $store_f64 (func (param $at i32) (param $value f64)))
  (type $allocate (func (param $size i32) (param $align i32) (result i32)))
  (type $register (func (param externref) (result i32)))
  (type $call_one (func (param i32 i32 externref) (result i32 i32)))
  (type $call_two (func (param i32 i32 externref externref)))
  (type $execute (func (param i32 i32 externref externref) (result externref)))
  (global $COPY_IN i32 (i32.const 0))
  (global $COPY_OUT i32 (i32.const 1))
  (global $STORE_I32 i32 (i32.const 2))
  (global $STORE_F64 i32 (i32.const 3))
  (global $ALLOCATE i32 (i32.const 4))
  (global $REGISTER i32 (i32.const 5))
  (global $CALL_ONE i32 (i32.const 6))
  (global $CALL_FOR_EACH i32 (i32.const 7))
  (global $CALL_EXECUTOR i32 (i32.const 8))
  (global $EXECUTE i32 (i32.const 9))

  ;; -- references and objects

  (func $reference (param $handle i32) (result externref)
    (extern.convert_any (ref.i31 (local.get $handle))))

  (func $handle (param $reference externref) (result i32)
    (i31.get_u (ref.cast (ref i31) (any.convert_extern (local.get $reference)))))

  (func $at (param $handle i32) (result i32)
    (i32.shl (local.get $handle) (i32.const 4)))

  (func $what (param $handle i32) (result i32)
    (i32.load $objects (call $at (local.get $handle))))

  (func $new (param $what i32) (result i32)
    (local $handle i32)
    (local.set $handle (global.get $object_count))
    (global.set $object_count (i32.add (local.get $handle) (i32.const 1)))
    (if (i32.gt_u (call $at (global.get $object_count))
                  (i32.shl (memory.size $objects) (i32.const 16)))
      (then
        (if (i32.eq (memory.grow $objects (memory.size $objects)) (i32.const -1))
          (then (unreachable)))))
    (i32.store $objects (call $at (local.get $handle)) (local.get $what))
    (local.get $handle))

  (func $new_number (param $value f64) (result i32)
    (local $handle i32)
    (local.set $handle (call $new (global.get $NUMBER)))
    (f64.store $objects offset=8 (call $at (local.get $handle)) (local.get $value))
    (local.get $handle))

  (func $new_pair (param $what i32) (param $first i32) (param $second i32) (result i32)
    (local $handle i32)
    (local.set $handle (call $new (local.get $what)))
    (i32.store $objects offset=8 (call $at (local.get $handle)) (local.get $first))
    (i32.store $objects offset=12 (call $at (local.get $handle)) (local.get $second))
    (local.get $handle))

  (func $first (param $handle i32) (result i32)
    (i32.load $objects offset=8 (call $at (local.get $handle))))

  (func $second (param $handle i32) (result i32)
    (i32.load $objects offset=12 (call $at (local.get $handle))))

  (func $put (param $owner externref) (param $key i32) (param $value externref)
    (local $at i32)
    (local.set $at (i32.mul (global.get $entry_count) (i32.const 12)))
    (if (i32.gt_u (i32.add (local.get $at) (i32.const 12))
                  (i32.shl (memory.size $entries) (i32.const 16)))
      (then
        (if (i32.eq (memory.grow $entries (memory.size $entries)) (i32.const -1))
          (then (unreachable)))))
    (i32.store $entries (local.get $at) (call $handle (local.get $owner)))
    (i32.store $entries offset=4 (local.get $at) (local.get $key))
    (i32.store $entries offset=8 (local.get $at) (call $handle (local.get $value)))
    (global.set $entry_count (i32.add (global.get $entry_count) (i32.const 1))))

  ;; -- numbers and text: the calls that are made for each input and each solved value

  (func (export "__wbindgen_cast_0000000000000002") (param $value f64) (result externref)
    (call $reference (call $new_number (local.get $value))))

  (func $read_text (export "__wbindgen_cast_0000000000000003")
    (param $from i32) (param $size i32) (result externref)
    (local $at i32)
    (local.set $at (global.get $text_size))
    (if (i32.gt_u (i32.add (local.get $at) (local.get $size))
                  (i32.shl (memory.size $text) (i32.const 16)))
      (then
        (if (i32.eq (memory.grow $text (i32.add (memory.size $text)
                                                (i32.shr_u (local.get $size) (i32.const 16))))
                    (i32.const -1))
          (then (unreachable)))))
    (call_indirect $links (type $copy)
      (local.get $at) (local.get $from) (local.get $size) (global.get $COPY_IN))
    (global.set $text_size (i32.add (local.get $at) (local.get $size)))
    (call $reference
      (call $new_pair (global.get $TEXT) (local.get $at) (local.get $size))))

  (func (export "__wbg___wbindgen_number_get_5854912275df1894")
    (param $to i32) (param $reference externref)
    (local $handle i32)
    (local.set $handle (call $handle (local.get $reference)))
    (call_indirect $links (type $store_f64)
      (i32.add (local.get $to) (i32.const 8))
      (f64.load $objects offset=8 (call $at (local.get $handle)))
      (global.get $STORE_F64))
    (call_indirect $links (type $store_i32)
      (local.get $to)
      (i32.eq (call $what (local.get $handle)) (global.get $NUMBER))
      (global.get $STORE_I32)))

  (func (export "__wbg___wbindgen_string_get_3e5751597f39a112")
    (param $to i32) (param $reference externref)
    (local $handle i32) (local $size i32) (local $copy i32)
    (local.set $handle (call $handle (local.get $reference)))
    (if (i32.eq (call $what (local.get $handle)) (global.get $TEXT))
      (then
        (local.set $size (call $second (local.get $handle)))
        (local.set $copy
          (call_indirect $links (type $allocate)
            (local.get $size) (i32.const 1) (global.get $ALLOCATE)))
        (call_indirect $links (type $copy)
          (local.get $copy) (call $first (local.get $handle)) (local.get $size)
          (global.get $COPY_OUT))))
    (call_indirect $links (type $store_i32)
      (local.get $to) (local.get $copy) (global.get $STORE_I32))
    (call_indirect $links (type $store_i32)
      (i32.add (local.get $to) (i32.const 4)) (local.get $size) (global.get $STORE_I32)))

  ;; -- maps, arrays and objects: one kind of collection, whose entries are read from outside

  (func $new_collection (result externref)
    (call $reference (call $new (global.get $COLLECTION))))
  (export "__wbg_new_1f2b2a0e566e9271" (func $new_collection))
  (export "__wbg_new_92df58a8ec3bfb6b" (func $new_collection))
  (export "__wbg_new_cbee8c0d5c479eac" (func $new_collection))
  (export "__wbg_new_e08132b7d055d050" (func $new_collection))
  (export "__wbg_new_227d7c05414eb861" (func $new_collection))

  (func (export "__wbg_set_cfc6de03f990decf")
    (param $map externref) (param $key externref) (param $value externref) (result externref)
    (call $put (local.get $map) (call $handle (local.get $key)) (local.get $value))
    (local.get $map))

  (func (export "__wbg_set_bad5c505cc70b5f8")
    (param $object externref) (param $key externref) (param $value externref) (result i32)
    (call $put (local.get $object) (call $handle (local.get $key)) (local.get $value))
    (i32.const 1))

  (func (export "__wbg_push_a6f9488ffd3fae3b")
    (param $array externref) (param $value externref) (result i32)
    (call $put (local.get $array) (global.get $UNDEFINED) (local.get $value))
    ;; The solver has no use for the new length.
    (i32.const 0))

  ;; An object from entries, an array from an iterable, an array backwards: the collection itself
  ;; serves, because its entries keep their order and their keys.
  (func $same (param $collection externref) (result externref)
    (local.get $collection))
  (export "__wbg_fromEntries_2f51c4024e2a7aa3" (func $same))
  (export "__wbg_from_d7e888a2e9063b32" (func $same))
  (export "__wbg_reverse_fcf59127ee940f96" (func $same))
  (export "__wbg_values_623449cff68c6e40" (func $same))

  ;; The only map that the solver walks through is that of its inputs.
  (func (export "__wbg_forEach_9694464cb60ea370")
    (param $map externref) (param $first i32) (param $second i32)
    (local $input i32)
    (if (i32.ne (call $handle (local.get $map)) (global.get $INPUT_MAP)) (then (unreachable)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $input) (global.get $input_count)))
        (call_indirect $links (type $call_two)
          (local.get $first) (local.get $second)
          (call $reference
            (call $new_pair (global.get $TEXT)
              (i32.mul (local.get $input) (i32.const 66)) (i32.const 66)))
          (call $reference
            (call $new_number
              (f64.convert_i32_u
                (i32.load $inputs (i32.shl (local.get $input) (i32.const 2))))))
          (global.get $CALL_FOR_EACH))
        (local.set $input (i32.add (local.get $input) (i32.const 1)))
        (br $next))))

  ;; -- errors: a collection whose first entry, without a key, is the message

  (func $new_error (param $message externref) (result externref)
    (local $error externref)
    (local.set $error (call $new_collection))
    (call $put (local.get $error) (global.get $UNDEFINED) (local.get $message))
    (local.get $error))
  (export "__wbg_constructor_59084b6699844a10" (func $new_error))
  (export "__wbg_constructor_7b4865fe9480f095" (func $new_error))

  (func (export "__wbg_new_1213b57bccbdbb66") (param $from i32) (param $size i32) (result externref)
    (call $new_error (call $read_text (local.get $from) (local.get $size))))

  (func (export "__wbg_set_cause_7f44b7881bde2bb6") (param $error externref) (param $cause externref))

  (func (export "__wbg_parse_6dfe891b5bafb5cd") (param $from i32) (param $size i32) (result externref)
    ;; Where the program failed: nobody reads it.
    (call $new_collection))

  ;; A panic ends in a trap. Its text may quote private values, and is left where it is.
  (func (export "__wbg___wbindgen_throw_39bc967c0e5a9b58") (param i32 i32) (unreachable))
  (func (export "__wbg_error_a6fa202b58aa1cd3") (param i32 i32))

  ;; -- questions about types

  (func (export "__wbg___wbindgen_is_undefined_c18285b9fc34cb7d")
    (param $reference externref) (result i32)
    (i32.eq (call $handle (local.get $reference)) (global.get $UNDEFINED)))

  (func (export "__wbg___wbindgen_is_string_7debe47dc1e045c2")
    (param $reference externref) (result i32)
    (i32.eq (call $what (call $handle (local.get $reference))) (global.get $TEXT)))

  (func (export "__wbg___wbindgen_is_function_d633e708baf0d146")
    (param $reference externref) (result i32)
    (i32.eq (call $handle (local.get $reference)) (global.get $QUEUE_MICROTASK)))

  ;; -- promises: one is made, for the whole execution, and its work is queued as a closure

  (func (export "__wbindgen_cast_0000000000000001")
    (param $first i32) (param $second i32) (result externref)
    (call $reference
      (call $new_pair (global.get $CLOSURE) (local.get $first) (local.get $second))))

  (func (export "__wbg__wbg_cb_unref_b6d832240a919168") (param $closure externref))

  (func (export "__wbg_static_accessor_GLOBAL_THIS_14325d8cca34bb77") (result i32)
    (call_indirect $links (type $register)
      (call $reference (global.get $GLOBAL_THIS)) (global.get $REGISTER)))
  (func $absent (result i32) (i32.const 0))
  (export "__wbg_static_accessor_GLOBAL_f3a1e69f9c5a7e8e" (func $absent))
  (export "__wbg_static_accessor_SELF_50cdb5b517789aca" (func $absent))
  (export "__wbg_static_accessor_WINDOW_d6c4126e4c244380" (func $absent))

  (func (export "__wbg_queueMicrotask_2c8dfd1056f24fdc")
    (param $global externref) (result externref)
    (call $reference (global.get $QUEUE_MICROTASK)))

  (func $queue (export "__wbg_queueMicrotask_8985ad63815852e7") (param $closure externref)
    ;; One place is enough for the one closure; a second would be lost unseen.
    (if (global.get $task) (then (unreachable)))
    (global.set $task (call $handle (local.get $closure))))

  (func (export "__wbg_resolve_5d61e0d10c14730a") (param $value externref) (result externref)
    (call $reference (global.get $PROMISE)))

  (func (export "__wbg_then_f1c954fe00733701")
    (param $promise externref) (param $closure externref) (result externref)
    (call $queue (local.get $closure))
    (local.get $promise))

  (func (export "__wbg_new_typed_8258a0d8488ef2a2")
    (param $first i32) (param $second i32) (result externref)
    (call_indirect $links (type $call_two)
      (local.get $first) (local.get $second)
      (call $reference (global.get $RESOLVE)) (call $reference (global.get $REJECT))
      (global.get $CALL_EXECUTOR))
    (call $reference (global.get $PROMISE)))

  ;; Only the promise's two functions are ever called with one argument.
  (func (export "__wbg_call_08ad0d89caa7cb79")
    (param $function externref) (param $this externref) (param $value externref) (result externref)
    (global.set $outcome (call $handle (local.get $function)))
    (global.set $result (call $handle (local.get $value)))
    (call $reference (global.get $UNDEFINED)))

  (func (export "execute") (param $program i32) (param $size i32)
    (local $closure i32)
    (drop
      (call_indirect $links (type $execute)
        (local.get $program) (local.get $size)
        (call $reference (global.get $INPUT_MAP))
        (call $reference (global.get $FOREIGN_CALL_HANDLER))
        (global.get $EXECUTE)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (global.get $task)))
        (local.set $closure (global.get $task))
        (global.set $task (i32.const 0))
        (call_indirect $links (type $call_one)
          (call $first (local.get $closure)) (call $second (local.get $closure))
          (call $reference (global.get $UNDEFINED)) (global.get $CALL_ONE))
        ;; A closure that throws leaves the promise open, which is seen from outside.
        (drop) (drop)
        (br $next))))

  ;; -- what a program of ours never leads to

  (func $log_one (param externref))
  (export "__wbg_debug_e69ad32e6af73f94" (func $log_one))
  (export "__wbg_error_ad28debb48b5c6bb" (func $log_one))
  (export "__wbg_info_72e7e65fa3fc8b25" (func $log_one))
  (export "__wbg_warn_3310c7343993c074" (func $log_one))
  (func $log_four (param externref externref externref externref))
  (export "__wbg_debug_8804c16f548276da" (func $log_four))
  (export "__wbg_error_91d10625a3b36a08" (func $log_four))
  (export "__wbg_info_28d530adaabdab8c" (func $log_four))
  (export "__wbg_warn_2540fe736f19ad5c" (func $log_four))

  (func $no_element (param externref i32) (result externref) (unreachable))
  (export "__wbg_get_f09c3a16f8848381" (func $no_element))
  (export "__wbg_get_unchecked_3d0f4b91c8eca4f0" (func $no_element))
  (func $no_count (param externref) (result i32) (unreachable))
  (export "__wbg_length_a31e05262e09b7f8" (func $no_count))
  (export "__wbg_isArray_581b02d0060c9728" (func $no_count))
  (func $no_text (param i32 externref) (unreachable))
  (export "__wbg_stack_3b0d974bbf31e44f" (func $no_text))
  (export "__wbg___wbindgen_debug_string_ddde1867f49c2442" (func $no_text))
  (func (export "__wbg_forEach_f33e388a24ae7d4f") (param externref i32 i32) (unreachable))
  (func (export "__wbg_then_d4163530723f56f4")
    (param externref externref externref) (result externref)
    (unreachable))
  ;; Two arguments: a call out of the program. Nobody outside may choose what a circuit computes.
  (func (export "__wbg_call_c974f0bf2231552e")
    (param externref externref externref externref) (result externref)
    (unreachable))

  ;; bridge.wat fills the solver's table itself, once it can reach it.
  (func (export "__wbindgen_init_externref_table"))
)
