//! The sandbox itself: from an admitted plugin and a grant to something that can be called, each made once and kept. Never
//! decides a grant.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bellhop_domain::capability::{Capability, CapabilitySet};
use bellhop_domain::id::ContentHash;
use tokio::sync::OnceCell;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::admit::Admitted;
use crate::call::Prepared;
use crate::compile::{CodeFolder, CompileError, Compiler};
use crate::engine::{self, EngineError};
use crate::link;

/// How the sandbox is set up.
pub struct SandboxOptions {
    /// Places in the pool: calls that can be under way at once, waiting ones included. One more is told `busy`.
    pub calls_at_once: u32,
    /// Where compiled code is kept between starts; without it every start compiles.
    pub code_folder: Option<CodeFolder>,
}

impl Default for SandboxOptions {
    /// 1,024 calls at once, as many as may wait for a slow model on a small machine; nothing kept on disk.
    fn default() -> Self {
        Self { calls_at_once: 1_024, code_folder: None }
    }
}

/// Why a plugin cannot be called with a grant.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// It needs what was not granted and what its manifest does not call optional.
    #[error("the plugin needs {}, which is not granted on this channel: grant it, or keep the plugin off", Names(.missing))]
    NotGranted {
        /// What is missing.
        missing: CapabilitySet,
    },
    /// There is no machine code for it.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It was built against another contract: a type or a function differs.
    #[error("the plugin was built against another version of bellhop:plugin: build it with this host's SDK")]
    Mismatch(#[source] wasmtime::Error),
}

/// Runs plugins. One per process.
pub struct Sandbox {
    engine: Engine,
    compiler: Compiler,
    components: Mutex<HashMap<ContentHash, Arc<OnceCell<Component>>>>,
    prepared: Mutex<HashMap<(ContentHash, CapabilitySet), Arc<Prepared>>>,
}

impl Sandbox {
    /// Makes the engine and its pool.
    ///
    /// # Errors
    /// [`EngineError`] when this machine cannot run WebAssembly; there is nothing to retry.
    pub fn new(options: SandboxOptions) -> Result<Self, EngineError> {
        let engine = engine::start(options.calls_at_once)?;
        let compiler = Compiler::new(engine.clone(), options.code_folder);
        Ok(Self { engine, compiler, components: Mutex::default(), prepared: Mutex::default() })
    }

    /// Compiles a plugin and links it on trial, as at installation: so that no customer waits for the compiler, and a plugin
    /// that can never run is refused before anybody consents to it.
    ///
    /// # Errors
    /// [`PrepareError::Compile`] and [`PrepareError::Mismatch`]; both are final for this file.
    pub async fn install(&self, admitted: &Admitted) -> Result<(), PrepareError> {
        let component = self.component(admitted).await?;
        let nothing = CapabilitySet::new();
        link::link(&self.engine, &component, &admitted.imports, &nothing).map_err(PrepareError::Mismatch)?;
        Ok(())
    }

    /// What can be called: the plugin with exactly the granted interfaces. Those of `optional` (the manifest's word) that
    /// were not granted answer `denied`. Made once per plugin and grant, compiled if it must be.
    ///
    /// # Errors
    /// [`PrepareError::NotGranted`] until the grant changes; the others are final for this file.
    pub async fn prepare(
        &self,
        admitted: &Admitted,
        granted: &CapabilitySet,
        optional: &CapabilitySet,
    ) -> Result<Arc<Prepared>, PrepareError> {
        let (linked, stubbed): (CapabilitySet, CapabilitySet) =
            admitted.imports.iter().copied().partition(|capability| granted.contains(capability));
        let missing: CapabilitySet = stubbed.difference(optional).copied().collect();
        if !missing.is_empty() {
            return Err(PrepareError::NotGranted { missing });
        }
        let key = (admitted.hash.clone(), linked);
        if let Some(prepared) = lock(&self.prepared).get(&key) {
            return Ok(Arc::clone(prepared));
        }
        let component = self.component(admitted).await?;
        let pre = link::link(&self.engine, &component, &key.1, &stubbed).map_err(PrepareError::Mismatch)?;
        let prepared = Arc::new(Prepared::new(pre));
        Ok(Arc::clone(lock(&self.prepared).entry(key).or_insert(prepared)))
    }

    /// Lets go of a plugin's code, as when its last grant is withdrawn. Calls under way end as they would have.
    pub fn forget(&self, hash: &ContentHash) {
        lock(&self.components).remove(hash);
        lock(&self.prepared).retain(|(kept, _), _| kept != hash);
    }

    /// Places of the pool that are taken right now; `None` where there is no pool.
    pub fn calls_under_way(&self) -> Option<usize> {
        self.engine.pooling_allocator_metrics().map(|metrics| metrics.component_instances() as usize)
    }

    /// Two that ask for the same plugin at once wait for one compilation; a failed one is tried again by the next.
    async fn component(&self, admitted: &Admitted) -> Result<Component, CompileError> {
        let cell = Arc::clone(lock(&self.components).entry(admitted.hash.clone()).or_default());
        cell.get_or_try_init(|| self.compiler.compile(admitted)).await.cloned()
    }
}

/// A map is whole after every statement, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Names<'a>(&'a CapabilitySet);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, name) in self.0.iter().copied().map(Capability::as_str).enumerate() {
            let comma = if nth == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    }
}
