//! What a model sent to the device and what preparing it took; it counts nothing itself.

/// What was sent to the device and waited for, for tests and for the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Kernels started.
    pub dispatches: u64,
    /// Lists of commands handed over.
    pub submissions: u64,
    /// Times that the program waited for the device.
    pub synchronizations: u64,
    /// Writes to buffers that were handed over.
    pub writes: u64,
    /// Bytes written to the device.
    pub bytes_up: u64,
    /// Bytes read back.
    pub bytes_down: u64,
    /// Buffers made to read back through.
    pub buffers: u64,
}

impl Counts {
    /// What was done since an earlier moment.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            dispatches: self.dispatches - before.dispatches,
            submissions: self.submissions - before.submissions,
            synchronizations: self.synchronizations - before.synchronizations,
            writes: self.writes - before.writes,
            bytes_up: self.bytes_up - before.bytes_up,
            bytes_down: self.bytes_down - before.bytes_down,
            buffers: self.buffers - before.buffers,
        }
    }
}

/// What preparing a model took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Preparation {
    /// Pipelines compiled for it, candidates of tiles with them; those of earlier models are used again.
    pub pipelines: u64,
    /// Time to plan, to compile and to make room, milliseconds; nothing where the engine has no clock.
    pub compile_millis: Option<f64>,
    /// Time to choose tiles by measurement, milliseconds, what it compiled included; nothing without a clock.
    pub tuning_millis: Option<f64>,
    /// Bytes of weights, plan and rows that went to the device.
    pub upload_bytes: u64,
    /// Time until the device had them, milliseconds; nothing where the engine has no clock.
    pub upload_millis: Option<f64>,
    /// Bytes that it holds on the device.
    pub held_bytes: u64,
}
