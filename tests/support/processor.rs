//! Time by what the processor worked; it asserts nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

use std::time::SystemTime;

/// Seconds that the processor worked on this thread where Linux tells, so that neighbours on a shared machine count little;
/// elsewhere seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "times what is printed, decides nothing"
)]
pub(crate) fn seconds() -> f64 {
    let worked = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = worked.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(
        || {
            SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_secs_f64()
        },
        |nanos| nanos * 1e-9,
    )
}
