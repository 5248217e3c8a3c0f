//! From admitted bytes to machine code: compiled once, kept in a folder under a MAC. Holds the crate's only `unsafe`. Never
//! trusts a cached file that this installation did not write.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::admit::Admitted;

mod cache;
#[cfg(test)]
mod tests;

use cache::CodeCache;

/// The compiler is one thread and takes up to 25 s and a few hundred MB for a Python plugin; more at once would starve the
/// host.
const COMPILES_AT_ONCE: usize = 1;

/// Where compiled code is kept.
#[derive(Clone)]
pub struct CodeFolder {
    /// The folder; made when it is missing. Nobody but the host should be able to write there.
    pub path: PathBuf,
    /// Keys the MAC over each file: a file that was not written with it is compiled anew.
    pub key: [u8; 32],
}

/// Why there is no machine code.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The compiler refused it.
    #[error("the component does not compile")]
    Failed(#[source] wasmtime::Error),
    /// It compiles, and asks for more than a place in the pool has: of instances above all, which only show when compiled.
    #[error("the component needs more instances, memories or tables than a plugin may have")]
    DoesNotFit(#[source] wasmtime::Error),
    /// The compiler panicked or was shut down. A hostile component can do that; the host lives on.
    #[error("the compiler broke on this component")]
    Broke(#[source] task::JoinError),
}

/// Compiles, through the folder if there is one.
pub(crate) struct Compiler {
    engine: Engine,
    cache: Option<Arc<CodeCache>>,
    places: Semaphore,
}

impl Compiler {
    pub(crate) fn new(engine: Engine, folder: Option<CodeFolder>) -> Self {
        let cache = folder.map(|folder| Arc::new(CodeCache::new(folder, &engine)));
        Self { engine, cache, places: Semaphore::new(COMPILES_AT_ONCE) }
    }

    /// The machine code of a plugin, ready to be linked.
    ///
    /// # Cancel safety
    /// The work on the blocking thread goes on and its result lands in the folder.
    pub(crate) async fn compile(&self, admitted: &Admitted) -> Result<Component, CompileError> {
        let _place = self.places.acquire().await;
        let (engine, cache, admitted) = (self.engine.clone(), self.cache.clone(), admitted.clone());
        let work = move || {
            let component = load_or_compile(&engine, cache.as_deref(), &admitted)?;
            // Maps the data segments now, so that the first customer does not wait for it. Without it calls are slower and
            // otherwise the same.
            if let Err(error) = component.initialize_copy_on_write_image() {
                tracing::debug!(error = %error.root_cause(), "A plugin's memory image could not be made ahead");
            }
            Ok(component)
        };
        task::spawn_blocking(work).await.map_err(CompileError::Broke)?
    }
}

fn load_or_compile(engine: &Engine, cache: Option<&CodeCache>, admitted: &Admitted) -> Result<Component, CompileError> {
    if let Some(code) = cache.and_then(|cache| cache.load(admitted)) {
        match deserialize(engine, &code) {
            Ok(component) => return Ok(component),
            Err(error) => {
                let error = error.root_cause();
                tracing::warn!(plugin.hash = %admitted.hash, %error, "Compiled code was refused; compiling again");
            }
        }
    }
    let code = engine.precompile_component(&admitted.component).map_err(CompileError::Failed)?;
    let component = deserialize(engine, &code).map_err(CompileError::DoesNotFit)?;
    if let Some(cache) = cache {
        cache.store(admitted, &code);
    }
    Ok(component)
}

/// Both callers hold bytes that this process compiled, or that carry this installation's MAC.
#[expect(unsafe_code, reason = "loading machine code is what this function is for; its bytes were verified")]
fn deserialize(engine: &Engine, code: &[u8]) -> Result<Component, wasmtime::Error> {
    // SAFETY: `code` is the unaltered output of `Engine::precompile_component`: either returned by it a moment ago, or read
    // from a file whose HMAC under the installation's key was verified. Wasmtime itself refuses other versions and settings.
    unsafe { Component::deserialize(engine, code) }
}
