//! A linker for one plugin and one grant: what was not granted is not there, so absent authority is a link error and never
//! an `if`. Scopes within a granted interface are the host's to check.

use bellhop_domain::capability::{Capability, CapabilitySet};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::bindings::PluginPre;
use crate::bindings::bellhop::plugin::{contact, effects, history, http, language_model, log, media, records, types};
use crate::bindings::exports::bellhop::plugin::handler::{Answer, Context, Event, Fault};
use crate::denied::{Denied, Stub};
use crate::granted::State;

/// The interface that a plugin exports, and its function.
const HANDLER: &str = "bellhop:plugin/handler@0.1.0";
const HANDLE: &str = "handle";

/// Links `granted` to the host and `stubbed` to stubs that deny. Anything else that the component imports is an error.
pub(crate) fn link(
    engine: &Engine,
    component: &Component,
    granted: &CapabilitySet,
    stubbed: &CapabilitySet,
) -> wasmtime::Result<PluginPre<State>> {
    let mut linker = Linker::new(engine);
    log::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    types::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    effects::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    for capability in granted {
        link_granted(&mut linker, *capability)?;
    }
    for capability in stubbed {
        link_stub(&mut linker, *capability)?;
    }
    let pre = PluginPre::new(linker.instantiate_pre(component)?)?;
    check_handler(&pre)?;
    Ok(pre)
}

/// Wasmtime compares the handler's type with ours only when an instance is made; here it is still a matter of installing.
fn check_handler(pre: &PluginPre<State>) -> wasmtime::Result<()> {
    let component = pre.instance_pre().component();
    let handler = component.get_export_index(None, HANDLER);
    let handle = handler.and_then(|handler| component.get_export(Some(&handler), HANDLE));
    let Some((ComponentItem::ComponentFunc(handle), _)) = handle else {
        return Err(wasmtime::Error::msg("the handler exports no function `handle`"));
    };
    let whole = component.component_type();
    handle.typecheck::<(Event<'_>, Context<'_>), (Result<Answer, Fault>,)>(&whole.instance_type())
}

fn link_granted(linker: &mut Linker<State>, capability: Capability) -> wasmtime::Result<()> {
    let whole: fn(&mut State) -> &mut State = |state| state;
    match capability {
        Capability::Records => records::add_to_linker::<_, HasSelf<State>>(linker, whole),
        Capability::Contact => contact::add_to_linker::<_, HasSelf<State>>(linker, whole),
        Capability::History => history::add_to_linker::<_, HasSelf<State>>(linker, whole),
        Capability::LanguageModel => language_model::add_to_linker::<_, HasSelf<State>>(linker, whole),
        Capability::Http => http::add_to_linker::<_, HasSelf<State>>(linker, whole),
        Capability::Media => media::add_to_linker::<_, HasSelf<State>>(linker, whole),
    }
}

fn link_stub(linker: &mut Linker<State>, capability: Capability) -> wasmtime::Result<()> {
    let stub: fn(&mut State) -> Stub<'_> = |state| Stub(&mut state.meter);
    match capability {
        Capability::Records => records::add_to_linker::<_, Denied>(linker, stub),
        Capability::Contact => contact::add_to_linker::<_, Denied>(linker, stub),
        Capability::History => history::add_to_linker::<_, Denied>(linker, stub),
        Capability::LanguageModel => language_model::add_to_linker::<_, Denied>(linker, stub),
        Capability::Http => http::add_to_linker::<_, Denied>(linker, stub),
        Capability::Media => media::add_to_linker::<_, Denied>(linker, stub),
    }
}
