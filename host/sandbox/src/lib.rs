//! Runs plugins: WebAssembly components that can reach nothing but what a business granted them. The only crate that knows
//! wasmtime.
//!
//! A plugin's file is admitted ([`admit()`]: bytes in, what it asks for out), installed ([`Sandbox::install`]: compiled,
//! kept on disk under a MAC), prepared for a grant ([`Sandbox::prepare`]: linked with the granted interfaces only) and
//! called ([`Prepared::call`]: a fresh instance, within [`Limits`], every way to end typed). The crate performs no effect,
//! verifies no signature, parses no manifest and decides no grant.
//!
//! ```no_run
//! # use bellhop_domain::{capability::CapabilitySet, plugin::{Context, PluginEvent}};
//! # use bellhop_sandbox::{Limits, NoHost, Outcome, Sandbox, SandboxOptions, admit};
//! # async fn example(file: &[u8], event: PluginEvent, context: Context) -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new(SandboxOptions::default())?;
//! let admitted = admit(file)?;
//! let (granted, optional) = (admitted.imports.clone(), CapabilitySet::new());
//! let plugin = sandbox.prepare(&admitted, &granted, &optional).await?;
//! let report = plugin.call(&event, &context, NoHost, &Limits::default()).await;
//! match report.outcome {
//!     Outcome::Answered(answer) => println!("{answer:?}"),
//!     Outcome::Faulted(fault) => println!("its part failed: {fault}"),
//!     Outcome::Stopped(reason) => println!("{}: {reason}", reason.as_code()),
//! }
//! # Ok(())
//! # }
//! ```

mod bindings;
mod limits;
mod stop;
mod host;
mod meter;
mod convert;
mod answer;
mod granted;
mod denied;
mod engine;
mod admit;
mod compile;
mod link;
mod call;
mod prepare;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use admit::{
    Admitted, Demands, FILE_BYTES_MAX, MANIFEST_BYTES_MAX, Refusal, Signature, admit, signature_of, with_manifest,
    with_signature,
};
pub use call::{CallReport, Outcome, Prepared};
pub use compile::{CodeFolder, CompileError};
pub use engine::EngineError;
pub use host::{HostCalls, NoHost, Reply};
pub use limits::{Limits, MEMORY_BYTES_MAX};
pub use prepare::{PrepareError, Sandbox, SandboxOptions};
pub use stop::StopReason;
