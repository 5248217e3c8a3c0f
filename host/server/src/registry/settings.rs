//! Settings: small JSON objects that the manifest's schema allows.

use bellhop_domain::manifest::Manifest;
use serde_json::Value;

use super::RegistryError;
use crate::record::schema::Schema;

/// Largest settings in bytes: they are copied into every call.
pub const MAX_SETTINGS_BYTES: usize = 16 << 10;

/// Checks settings and gives them back as one text for equal settings.
pub(super) fn checked(manifest: &Manifest, settings_json: &str) -> Result<String, RegistryError> {
    let refuse = |problem: String| RegistryError::Settings(vec![problem]);
    if settings_json.len() > MAX_SETTINGS_BYTES {
        return Err(refuse(format!("they have {} bytes; shorten them to {MAX_SETTINGS_BYTES}", settings_json.len())));
    }
    let settings: Value = serde_json::from_str(settings_json).map_err(|error| refuse(format!("no JSON: {error}")))?;
    let members = settings.as_object().ok_or_else(|| refuse("write a JSON object".to_owned()))?;
    match &manifest.settings {
        None if members.is_empty() => {}
        None => return Err(refuse("the plugin has no settings; give {}".to_owned())),
        Some(schema) => {
            let place = || "the settings".to_owned();
            let schema = Schema::compile(schema).map_err(|source| RegistryError::Schema { place: place(), source })?;
            schema.check(&settings).map_err(RegistryError::Settings)?;
        }
    }
    Ok(settings.to_string())
}
