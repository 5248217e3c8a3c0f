//! The floor: wasmtime by itself. The same component, the same generated code and the same kind of pool as the sandbox, and
//! nothing else: no limits, no counts, no host.

use std::hint::black_box;

use anyhow::ensure;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store};

use crate::guest;

mod bindings {
    #![allow(unsafe_code, unreachable_pub, unused_qualifications, dead_code, clippy::all, reason = "generated")]

    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "bellhop:plugin/plugin",
        imports: { "bellhop:plugin/log": trappable, default: async | trappable },
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

use bindings::bellhop::plugin::{log, records, types};
use bindings::{Plugin, PluginPre};

/// What the compiler adds to a plugin's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// As in the sandbox: fuel and ticks are counted, floating-point results are canonical.
    Guarded,
    /// Nothing.
    Plain,
}

/// A component, compiled and linked to imports that do nothing.
pub(super) struct Bare {
    pre: PluginPre<Nobody>,
    code: Code,
}

/// An instance that is used again and again.
pub(super) struct Reused {
    store: Store<Nobody>,
    plugin: Plugin,
}

impl Bare {
    pub(super) fn new(file: &[u8], code: Code) -> anyhow::Result<Self> {
        let engine = Engine::new(&config(code))?;
        let component = Component::from_binary(&engine, file)?;
        component.initialize_copy_on_write_image()?;
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        linker.define_unknown_imports_as_traps(&component)?;
        log::add_to_linker::<_, HasSelf<Nobody>>(&mut linker, |nobody| nobody)?;
        records::add_to_linker::<_, HasSelf<Nobody>>(&mut linker, |nobody| nobody)?;
        Ok(Self { pre: PluginPre::new(linker.instantiate_pre(&component)?)?, code })
    }

    /// One call in a fresh instance.
    pub(super) async fn call(&self) -> anyhow::Result<()> {
        self.instance().await?.call().await
    }

    pub(super) async fn instance(&self) -> anyhow::Result<Reused> {
        let mut store = Store::new(self.pre.engine(), Nobody);
        if self.code == Code::Guarded {
            // Code that counts needs something to count down from; this never runs out.
            store.set_fuel(u64::MAX)?;
            store.set_epoch_deadline(u64::MAX / 2);
        }
        let plugin = self.pre.instantiate_async(&mut store).await?;
        Ok(Reused { store, plugin })
    }
}

impl Reused {
    pub(super) async fn call(&mut self) -> anyhow::Result<()> {
        let message = types::Message {
            id: "019a5f00-0000-7000-8000-000000000001",
            at: 1_800_000_000_000,
            text: Some(guest::QUESTION),
            payload: None,
            attachments: &[],
            reply_to: None,
            late: false,
        };
        let context = types::Context {
            turn: "019a5f00-0000-7000-8000-000000000002",
            now: 1_800_000_000_000,
            seed: 7,
            channel_kind: "messenger",
            contact: "c7f3q2k9",
            locale: "en_GB",
            time_zone: "Europe/Lisbon",
            reply_window_closes: Some(1_800_086_400_000),
            settings_json: "{}",
            session_json: None,
            holds_floor: false,
            dry_run: false,
            facts: &[],
        };
        let messages = [message];
        let event = types::Event::Messages(&messages);
        let answer = self.plugin.bellhop_plugin_handler().call_handle(&mut self.store, event, context).await?;
        ensure!(answer.is_ok(), "the plugin failed: {answer:?}");
        black_box(answer.is_ok());
        Ok(())
    }
}

/// The sandbox's engine as far as it bears on time: generated code, stacks, memory layout, pool.
fn config(code: Code) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(1_024)
        .total_stacks(1_024)
        .total_core_instances(16 * 1_024)
        .total_memories(4 * 1_024)
        .total_tables(8 * 1_024)
        .total_gc_heaps(0)
        .max_memory_size(64 << 20)
        .max_memories_per_component(4)
        .max_tables_per_component(8)
        .max_core_instances_per_component(64)
        .table_elements(20_000)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(16 << 10)
        .max_unused_warm_slots(64)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .gc_support(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .memory_reservation(64 << 20)
        .memory_guard_size(32 << 20)
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(32 << 20)
        .native_unwind_info(false)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(code == Code::Guarded)
        .consume_fuel(code == Code::Guarded)
        .cranelift_nan_canonicalization(code == Code::Guarded)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Nobody is behind the imports.
struct Nobody;

impl log::Host for Nobody {
    fn write(&mut self, _: log::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

type Guest<T> = wasmtime::Result<Result<T, types::Fault>>;

impl records::Host for Nobody {
    async fn get(&mut self, _: String, _: String) -> Guest<Option<records::Entry>> {
        Ok(Ok(None))
    }

    async fn find(&mut self, _: records::Query) -> Guest<Vec<records::Entry>> {
        Ok(Ok(Vec::new()))
    }

    async fn search(&mut self, _: String, _: String, _: Option<String>, _: u32) -> Guest<Vec<records::Hit>> {
        Ok(Ok(Vec::new()))
    }

    async fn put(&mut self, _: String, _: Option<String>, _: i64, _: String) -> Guest<String> {
        Ok(Ok(String::new()))
    }

    async fn remove(&mut self, _: String, _: String) -> Guest<()> {
        Ok(Ok(()))
    }
}
