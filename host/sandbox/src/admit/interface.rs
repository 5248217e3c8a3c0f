//! What a component imports and exports, by name and kind. Unknown names are refused, never ignored.

use bellhop_domain::capability::{Capability, CapabilitySet};
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::types::Types;
use wasmparser::{ComponentExport, ComponentExternalKind, ComponentImport};

use super::refusal::{Refusal, shown};

/// Package and version line of the contract that this host serves.
const PACKAGE: &str = "bellhop:plugin/";
const VERSION_LINE: &str = "0.1.";

/// The interface that every plugin exports.
const HANDLER: &str = "handler";

/// Always linked, asks for nothing.
const LOG: &str = "log";

/// The capabilities that a component asks for.
pub(super) fn imports(imports: &[ComponentImport<'_>], types: &Types) -> Result<CapabilitySet, Refusal> {
    let mut asked = CapabilitySet::new();
    for import in imports {
        let name = import.name.name;
        if import.name.implements.is_some() || import.name.external_id.is_some() {
            return Err(Refusal::NamedImport { name: shown(name) });
        }
        let item = types.component_item_for_import(name).map(|item| item.ty);
        let Some(ComponentEntityType::Instance(instance)) = item else {
            return Err(Refusal::NotAnInterface { name: shown(name) });
        };
        let only_types = types[instance].exports.values().all(|item| is_plain_type(&item.ty));
        match interface_of(name) {
            Some(_) if only_types => {}
            Some(LOG) => {}
            Some(interface) => match Capability::parse(interface) {
                Some(capability) => asked.extend([capability]),
                None => return Err(Refusal::UnknownImport { name: shown(name) }),
            },
            None => return Err(Refusal::UnknownImport { name: shown(name) }),
        }
    }
    Ok(asked)
}

/// Refuses anything but one handler.
pub(super) fn check_exports(exports: &[ComponentExport<'_>]) -> Result<(), Refusal> {
    let mut handlers = 0;
    for export in exports {
        let name = export.name.name;
        let is_handler = interface_of(name) == Some(HANDLER) && export.kind == ComponentExternalKind::Instance;
        if !is_handler || handlers > 0 {
            return Err(Refusal::UnknownExport { name: shown(name) });
        }
        handlers += 1;
    }
    if handlers == 0 { Err(Refusal::NoHandler) } else { Ok(()) }
}

/// A type without identity. A resource is a type too, and brings functions of the host with it.
fn is_plain_type(item: &ComponentEntityType) -> bool {
    match item {
        ComponentEntityType::Type { referenced, .. } => !matches!(referenced, ComponentAnyTypeId::Resource(_)),
        _ => false,
    }
}

/// `records` for `bellhop:plugin/records@0.1.7`; `None` for any other package or version line.
fn interface_of(name: &str) -> Option<&str> {
    let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    let patch = version.strip_prefix(VERSION_LINE)?;
    let canonical = patch.parse::<u16>().ok()?.to_string();
    (patch == canonical).then_some(interface)
}
