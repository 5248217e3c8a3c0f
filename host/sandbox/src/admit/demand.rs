//! What the modules of a component need at their start, against what a place in the pool has. Counts each module once, as
//! every toolchain instantiates it; the compiler's own check counts again.

use wasmparser::{MemorySectionReader, TableSectionReader};

use super::refusal::Refusal;
use crate::limits;

/// Bytes of a WebAssembly page.
const PAGE_BYTES: u64 = 65_536;

/// Sums over all modules, and the largest single memory and table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demands {
    /// Memories.
    pub memories: u64,
    /// Tables.
    pub tables: u64,
    /// Bytes of the largest memory at its start.
    pub memory_bytes: u64,
    /// Elements of the largest table at its start.
    pub table_elements: u64,
}

impl Demands {
    pub(super) fn take_memories(&mut self, section: MemorySectionReader<'_>) -> Result<(), Refusal> {
        for memory in section {
            let memory = memory.map_err(Refusal::invalid)?;
            self.memories = self.memories.saturating_add(1);
            self.memory_bytes = self.memory_bytes.max(memory.initial.saturating_mul(PAGE_BYTES));
        }
        Ok(())
    }

    pub(super) fn take_tables(&mut self, section: TableSectionReader<'_>) -> Result<(), Refusal> {
        for table in section {
            let table = table.map_err(Refusal::invalid)?;
            self.tables = self.tables.saturating_add(1);
            self.table_elements = self.table_elements.max(table.ty.initial);
        }
        Ok(())
    }

    /// Refuses with numbers what can never be started.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let demands = [
            ("memories", self.memories, limits::MEMORIES_MAX),
            ("tables", self.tables, limits::TABLES_MAX),
            ("bytes of memory at its start", self.memory_bytes, limits::MEMORY_BYTES_MAX),
            ("elements in a table at its start", self.table_elements, limits::TABLE_ELEMENTS_MAX),
        ];
        match demands.into_iter().find(|(_, needed, limit)| *needed > *limit as u64) {
            Some((what, needed, limit)) => Err(Refusal::TooDemanding { what, needed, limit: limit as u64 }),
            None => Ok(()),
        }
    }
}
