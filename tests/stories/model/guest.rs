//! A plugin whose answers tell what they answer: it says each text that begins with "m" again, and passes when there is none.

use crate::support::hostile::{Guest, guest};

/// A message of the event takes 64 bytes, its text stands at 20; a proposal takes 72, the text to say stands at 8.
const ECHO: &str = r#"
    (func $echo (param $event i32) (result i32)
        (local $at i32) (local $end i32) (local $count i32) (local $to i32)
        (local.set $at (i32.load offset=4 (local.get $event)))
        (local.set $end (i32.add (local.get $at) (i32.shl (i32.load offset=8 (local.get $event)) (i32.const 6))))
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
            (if (i32.eq (i32.load8_u (i32.load offset=20 (local.get $at))) (i32.const 109)) (then
                (local.set $to (i32.add (i32.const 8192) (i32.mul (local.get $count) (i32.const 72))))
                (i32.store offset=8 (local.get $to) (i32.load offset=20 (local.get $at)))
                (i32.store offset=12 (local.get $to) (i32.load offset=24 (local.get $at)))
                (local.set $count (i32.add (local.get $count) (i32.const 1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 64)))
            (br $next)))
        (if (result i32) (local.get $count)
            (then (call $propose (local.get $count)))
            (else (call $pass))))
"#;

/// The plugin.
pub(super) fn echo() -> Guest<'static> {
    Guest { items: ECHO, ..guest("(call $echo (local.get 0))") }
}
