//! A GPU that answers: adapter, device, what they are called, and in words why there is none or why it went away.

use super::kernels::{self, tile};
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What software adapters call themselves.
const SOFTWARE: [&str; 4] = ["swiftshader", "llvmpipe", "basic render", "warp"];

/// Whether an adapter is a program that stands in for a GPU, by its name.
#[must_use]
pub fn is_software(adapter: &str) -> bool {
    let name = adapter.to_lowercase();
    SOFTWARE.iter().any(|word| name.contains(word))
}

/// A device with its queue; handles are counted, so a copy is the same device.
#[derive(Debug, Clone)]
pub struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    name: String,
    has_timestamps: bool,
    has_dots: bool,
    trouble: Arc<Mutex<Option<String>>>,
    nudges: bool,
    scopes: Arc<AtomicU64>,
}

impl Gpu {
    /// The fastest adapter that there is, with the default limits but for the size of buffers, which are as large as it
    /// allows, and with timestamps where it has them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with the reason and what to try.
    pub async fn open() -> Result<Self> {
        kernels::check()?;
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions {
                power_preference: wgpu::PowerPreference::HighPerformance,
                ..Default::default()
            })
            .await
            .map_err(|error| unsupported(no_adapter(), &error))?;
        let features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let offered = adapter.limits();
        let limits = wgpu::Limits {
            max_buffer_size: offered.max_buffer_size,
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            ..wgpu::Limits::default()
        };
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("assay"),
                required_features: features,
                required_limits: limits,
                ..Default::default()
            })
            .await
            .map_err(|error| {
                unsupported(
                    "the adapter gives no device with WebGPU's default limits",
                    &error,
                )
            })?;
        let trouble = Arc::new(Mutex::new(None));
        let lost = Arc::clone(&trouble);
        device.set_device_lost_callback(move |reason, message| {
            let cause = match reason {
                wgpu::DeviceLostReason::Destroyed => "it was given back",
                _ => "its driver or the system took it away",
            };
            let words = format!("the device was lost: {cause} ({message})");
            // Whatever was refused before follows from it.
            *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        });
        let uncaptured = Arc::clone(&trouble);
        device.on_uncaptured_error(Arc::new(move |error| note(&uncaptured, words(&error))));
        let info = adapter.get_info();
        let name = [info.name, info.driver, info.driver_info]
            .into_iter()
            .filter(|part| !part.is_empty());
        Ok(Self {
            device,
            queue,
            name: name.collect::<Vec<_>>().join(", "),
            has_timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            has_dots: (instance.wgsl_language_features())
                .contains(wgpu::WgslLanguageFeatures::Packed4x8IntegerDotProduct),
            trouble,
            nudges: false,
            scopes: Arc::default(),
        })
    }

    /// The same device for a browser that, like Firefox, looks for finished work every 100 ms or when something is
    /// submitted. Each time that a reading back is polled in vain, it submits an empty list; whoever owns the future must
    /// poll it again within a millisecond or so, for nobody wakes it earlier.
    #[must_use]
    pub fn nudging(mut self, nudges: bool) -> Self {
        self.nudges = nudges;
        self
    }

    /// The same device under a name from elsewhere, where it has none of its own: browsers tell an engine nothing.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        if self.name.is_empty() {
            name.clone_into(&mut self.name);
        }
        self
    }

    /// The adapter and its driver, as they call themselves.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What division of work asks of it.
    pub(crate) fn kind(&self) -> tile::Device {
        if is_software(&self.name) {
            tile::Device::SOFTWARE
        } else {
            tile::Device::HARDWARE
        }
    }

    /// Whether it can tell when a pass began and ended; browsers round these times, to a tenth of a millisecond or so.
    #[must_use]
    pub const fn has_timestamps(&self) -> bool {
        self.has_timestamps
    }

    /// Whether WGSL multiplies and adds four numbers of 8 bits at once there.
    pub(crate) const fn has_dots(&self) -> bool {
        self.has_dots
    }

    /// How often mistakes were waited for: each time is a wait of its own in a browser.
    #[must_use]
    pub fn scopes(&self) -> u64 {
        self.scopes.load(Ordering::Relaxed)
    }

    /// Gives the device back; everything on it is lost.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Bytes that one arena may have.
    #[must_use]
    pub fn most_bytes(&self) -> u64 {
        let limits = self.device.limits();
        limits
            .max_buffer_size
            .min(limits.max_storage_buffer_binding_size)
    }

    /// Whether everything is still well.
    ///
    /// # Errors
    /// [`Error::Engine`] with the first thing that went wrong, in words.
    pub fn check(&self, during: &'static str) -> Result<()> {
        match &*self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reason) => Err(failure(during, reason.clone())),
            None => Ok(()),
        }
    }

    /// Does something whose mistakes are reported here and not to everybody.
    ///
    /// # Errors
    /// [`Error::Engine`] with the device's own words.
    pub(crate) async fn scoped<T>(
        &self,
        during: &'static str,
        act: impl FnOnce() -> T,
    ) -> Result<T> {
        let scope = self.scope();
        let done = act();
        self.told(during, scope.end().await)?;
        Ok(done)
    }

    /// From now on mistakes are kept for whoever ends this.
    pub(crate) fn scope(&self) -> Scope {
        self.scopes.fetch_add(1, Ordering::Relaxed);
        Scope {
            memory: self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory),
            validation: self.device.push_error_scope(wgpu::ErrorFilter::Validation),
        }
    }

    /// What a scope found, or everything else that is known to have gone wrong.
    ///
    /// # Errors
    /// [`Error::Engine`] in words.
    pub(crate) fn told(&self, during: &'static str, found: Option<wgpu::Error>) -> Result<()> {
        self.check(during)?;
        match found {
            Some(error) => Err(failure(during, words(&error))),
            None => Ok(()),
        }
    }

    /// Hands over an empty list of commands. Firefox looks for answers only when it is handed something, or every tenth of
    /// a second: whoever waits and has a timer calls this each millisecond or so.
    pub fn nudge(&self) {
        self.queue.submit([]);
    }

    /// Shows the first bytes of a buffer as words, once everything submitted before has run: one synchronization, and no
    /// error scope. What went wrong on the way is known by then.
    ///
    /// # Errors
    /// [`Error::Engine`] where the device was lost or refused something.
    pub(crate) async fn read(
        &self,
        buffer: &wgpu::Buffer,
        bytes: u64,
        show: impl FnOnce(&[u32]),
    ) -> Result<()> {
        const DURING: &str = "reading back from the GPU";
        let signal = Arc::new(Signal::default());
        let own = Arc::clone(&signal);
        buffer.map_async(wgpu::MapMode::Read, 0..bytes, move |mapped| {
            own.raise(mapped.map_err(|error| error.to_string()));
        });
        #[cfg(not(target_arch = "wasm32"))]
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|error| failure(DURING, error.to_string()))?;
        let mapped = std::future::poll_fn(|context| {
            let polled = signal.poll(context);
            if self.nudges && polled.is_pending() {
                self.queue.submit([]);
            }
            polled
        })
        .await;
        self.check(DURING)?;
        mapped.map_err(|reason| failure(DURING, reason))?;
        let view = buffer
            .get_mapped_range(0..bytes)
            .map_err(|error| failure(DURING, error.to_string()))?;
        match bytemuck::try_cast_slice(&view) {
            Ok(words) => show(words),
            // A browser may hand the bytes over at any address.
            Err(_) => {
                let words = view.as_chunks::<4>().0.iter();
                show(
                    &words
                        .map(|word| u32::from_le_bytes(*word))
                        .collect::<Vec<_>>(),
                );
            }
        }
        drop(view);
        buffer.unmap();
        Ok(())
    }
}

/// Mistakes that are kept; the inner scope ends first.
pub(crate) struct Scope {
    memory: wgpu::ErrorScopeGuard,
    validation: wgpu::ErrorScopeGuard,
}

impl Scope {
    /// Ends it at once; the mistake, if there was one, comes when the device has answered.
    pub(crate) fn end(self) -> impl Future<Output = Option<wgpu::Error>> {
        let found = [self.validation.pop(), self.memory.pop()];
        async move {
            let [validation, memory] = found;
            match validation.await {
                Some(error) => Some(error),
                None => memory.await,
            }
        }
    }
}

/// Something that happens once, elsewhere.
#[derive(Default)]
struct Signal(Mutex<Raised>);

/// What came of it, and whom to wake.
type Raised = (Option<Result<(), String>>, Option<std::task::Waker>);

impl Signal {
    fn raise(&self, result: Result<(), String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = Some(result);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }

    fn poll(&self, context: &std::task::Context<'_>) -> std::task::Poll<Result<(), String>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.0.take() {
            Some(result) => std::task::Poll::Ready(result),
            None => {
                state.1 = Some(context.waker().clone());
                std::task::Poll::Pending
            }
        }
    }
}

/// Keeps the first thing that went wrong: the rest follows from it.
fn note(trouble: &Mutex<Option<String>>, words: String) {
    trouble
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(words);
}

const fn no_adapter() -> &'static str {
    if cfg!(target_arch = "wasm32") {
        "this browser offers no WebGPU adapter; a current Chrome or Edge, a page served over https, or another driver may help"
    } else {
        "there is no Vulkan adapter; on Debian the package mesa-vulkan-drivers has one in software"
    }
}

fn unsupported(why: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Unsupported {
        feature: "the GPU".into(),
        why: format!("{why} ({error})"),
    }
}

pub(crate) fn failure(during: &'static str, reason: String) -> Error {
    Error::Engine {
        engine: "gpu",
        during,
        reason,
    }
}

fn words(error: &wgpu::Error) -> String {
    match error {
        wgpu::Error::OutOfMemory { .. } => {
            "the GPU has not enough memory; a smaller batch needs less".into()
        }
        wgpu::Error::Validation { description, .. } => {
            format!("it refused a command: {description}")
        }
        wgpu::Error::Internal { description, .. } => format!("it failed inside: {description}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_adapters_are_known_by_their_names() {
        assert!(is_software("llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(is_software("Google SwiftShader"));
        assert!(is_software("Microsoft Basic Render Driver"));
        assert!(!is_software("NVIDIA H200, NVIDIA, 580.159.04"));
        assert!(!is_software(""));
    }
}
