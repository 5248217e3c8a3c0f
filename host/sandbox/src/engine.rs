//! The one engine: what WebAssembly may do here, the pool that instances come from, and the tick that lets a busy plugin
//! be interrupted.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::limits;

/// How often a running plugin is asked whether it has run too long, and lets others have the thread.
const TICK: Duration = Duration::from_millis(10);

/// The stack of WebAssembly; ends in a trap, so it may be smaller than what holds it.
const WASM_STACK_BYTES: usize = 512 << 10;

/// The stack of a whole call: WebAssembly's and the frames of host functions.
const CALL_STACK_BYTES: usize = 2 << 20;

/// Address space kept free behind each memory, so that most accesses need no check.
const GUARD_BYTES: u64 = 32 << 20;

/// What a slot keeps resident after a call. Measured: 1 MiB leaves 1.1 GB behind after 1,000 calls at once, 64 KiB
/// 225 MB, and is faster.
const MEMORY_KEEP_BYTES: usize = 64 << 10;
const TABLE_KEEP_BYTES: usize = 16 << 10;
const STACK_KEEP_BYTES: usize = 16 << 10;

/// Slots that stay mapped with the image of the plugin that had them last, ready to be reused.
const WARM_SLOTS: u32 = 64;

/// Frames of a backtrace that are collected.
const BACKTRACE_FRAMES: usize = 20;

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Wasmtime refused the configuration: this platform lacks something that the sandbox relies on.
    #[error("could not make the WebAssembly engine on this machine")]
    Configuration(#[source] wasmtime::Error),
    /// The thread that interrupts busy plugins could not be started.
    #[error("could not start the sandbox's clock thread")]
    Ticker(#[source] std::io::Error),
}

/// Makes the engine for `calls_at_once` concurrent calls, and starts its tick.
///
/// A pool needs about 400 MiB of address space a call (not memory). Where that is short, instances are allocated one by
/// one: slower, and `calls_at_once` is no bound any more.
pub(crate) fn start(calls_at_once: u32) -> Result<Engine, EngineError> {
    let mut pooled = config();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(calls_at_once)));
    let engine = match Engine::new(&pooled) {
        Ok(engine) => engine,
        Err(error) => {
            tracing::warn!(calls_at_once, error = %error.root_cause(), "No address space for a pool; instances are allocated one by one");
            Engine::new(config().allocation_strategy(InstanceAllocationStrategy::OnDemand))
                .map_err(EngineError::Configuration)?
        }
    };
    start_ticker(&engine).map_err(EngineError::Ticker)?;
    Ok(engine)
}

/// An OS thread, because a plugin in a loop must die even when every worker of the async runtime runs one. It ends with
/// the engine.
fn start_ticker(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::park_timeout(TICK);
        }
    };
    thread::Builder::new().name("sandbox-tick".to_owned()).spawn(tick).map(drop)
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .gc_support(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .shared_memory(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_relaxed_simd(false)
        .wasm_stack_switching(false)
        // Several memories stay allowed: without them wasmtime 48 panics on a component with fused adapters.
        .epoch_interruption(true)
        .consume_fuel(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(CALL_STACK_BYTES)
        .async_stack_zeroing(true)
        .memory_reservation(limits::MEMORY_BYTES_MAX as u64)
        .memory_guard_size(GUARD_BYTES)
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(GUARD_BYTES)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES));
    config
}

/// Per call: 16 core instances, 4 memories and 8 tables on average; a single one may have more within the maxima.
fn pool(calls_at_once: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls_at_once)
        .total_stacks(calls_at_once)
        .total_core_instances(calls_at_once.saturating_mul(16))
        .total_memories(calls_at_once.saturating_mul(4))
        .total_tables(calls_at_once.saturating_mul(8))
        .total_gc_heaps(0)
        .max_memory_size(limits::MEMORY_BYTES_MAX)
        .max_memories_per_component(limits::MEMORIES_MAX as u32)
        .max_memories_per_module(limits::MEMORIES_MAX as u32)
        .max_tables_per_component(limits::TABLES_MAX as u32)
        .max_tables_per_module(limits::TABLES_MAX as u32)
        .max_core_instances_per_component(limits::CORE_INSTANCES_MAX as u32)
        .table_elements(limits::TABLE_ELEMENTS_MAX)
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(MEMORY_KEEP_BYTES)
        .table_keep_resident(TABLE_KEEP_BYTES)
        .async_stack_keep_resident(STACK_KEEP_BYTES)
        // Asks the kernel which pages a call wrote: with the 1 MiB of a Rust plugin a call takes 33 µs instead of 42.
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_address_space_for_a_pool_there_is_still_an_engine() {
        let engine = start(4_000_000).unwrap();
        assert!(engine.pooling_allocator_metrics().is_none());
        assert!(start(4).unwrap().pooling_allocator_metrics().is_some());
    }
}
