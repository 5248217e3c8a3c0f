//! The trait a plugin implements, and the bridge from the contract to it. Never holds state between calls: the host
//! makes a fresh instance for each.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::bellhop::plugin::effects as wire;
use crate::{Answer, Context, Event, Fault, Turn};

/// A plugin: looks at what happened and says what should happen.
pub trait Plugin {
    /// The business's settings; `plugin.toml` holds their JSON Schema. `()` for none.
    type Settings: DeserializeOwned + Default;
    /// What is remembered per conversation between turns. `()` for nothing.
    type Session: Serialize + DeserializeOwned;

    /// Looks at one event and answers.
    ///
    /// # Errors
    /// A fault means: my part failed, ask the next plugin. The business reads its message.
    fn handle(turn: Turn<Self>) -> Result<Answer<Self::Session>, Fault>;
}

/// Runs one call of a plugin, from the contract's types to the contract's types.
///
/// # Errors
/// The plugin's own fault, or one that says why settings or session do not fit.
pub fn run<P: Plugin + ?Sized>(event: Event, context: Context) -> Result<wire::Answer, Fault> {
    P::handle(Turn::<P>::open(event, context)?)?.into_wire()
}

#[cfg(target_arch = "wasm32")]
impl<P: Plugin> crate::bindings::exports::bellhop::plugin::handler::Guest for P {
    fn handle(event: Event, context: Context) -> Result<wire::Answer, Fault> {
        // Without it a panic is a bare `unreachable` trap and its text is lost.
        std::panic::set_hook(Box::new(|panic| crate::log::error(&panic.to_string())));
        run::<P>(event, context)
    }
}

/// Makes a plugin the component's export. Expands to nothing outside wasm32: a `cdylib` with component exports does not
/// link natively, and tests need none.
#[macro_export]
macro_rules! export {
    ($plugin:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        mod bellhop_component {
            use super::$plugin;
            $crate::bindings::export_component!($plugin with_types_in $crate::bindings);
        }
    };
}
