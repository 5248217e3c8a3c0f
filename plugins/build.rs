//! Builds the bundled plugins for wasm with a cargo of its own and puts each manifest into its component. Never lets the
//! caller's flags or wrappers reach that build: they would change the bytes, and the bytes are what a business grants to.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use wasm_encoder::{ComponentSection, CustomSection};

/// Folder and id of each bundled plugin; its package is `bellhop-{id}`.
const BUNDLED: [&str; 2] = ["faq", "hello"];
const TARGET: &str = "wasm32-unknown-unknown";
/// The host reads the manifest from the one top-level section of this name.
const MANIFEST_SECTION: &str = "bellhop:manifest";

/// Environment that alters what a build emits or where it puts it, set by people, by clippy or by the outer cargo.
const LEFT_OUT: [&str; 12] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CLIPPY_ARGS",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let plugins = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = plugins.parent().ok_or("the plugins folder has no parent")?.to_owned();
    require_target()?;
    // A target folder of its own: the outer cargo holds the lock of the shared one, and waiting for it never ends.
    let guest = out_dir.join("guest");
    compile(&root, &guest)?;
    for id in BUNDLED {
        let built = guest.join(TARGET).join("plugin").join(format!("bellhop_{id}.wasm"));
        let manifest = plugins.join(id).join("plugin.toml");
        pack(&built, &manifest, &out_dir.join(format!("{id}.wasm")))?;
        watch_sources(&built.with_extension("d"))?;
        watch(&manifest);
        watch(&plugins.join(id).join("Cargo.toml"));
    }
    for input in ["Cargo.toml", "Cargo.lock", "sdk/Cargo.toml", "wit", "plugins/build.rs"] {
        watch(&root.join(input));
    }
    Ok(())
}

/// Says what to do when the target is missing; rustc's own message ends in "can't find crate for `core`".
fn require_target() -> Result<(), String> {
    let output = Command::new(variable("RUSTC")?)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("could not run rustc: {error}"))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && folder.is_dir() {
        return Ok(());
    }
    Err(format!("the bundled plugins need the target {TARGET}; run `rustup target add {TARGET}` and build again"))
}

fn compile(root: &Path, target_dir: &Path) -> Result<(), String> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo.current_dir(root).args(["build", "--quiet", "--locked", "--profile", "plugin", "--target", TARGET]);
    cargo.arg("--target-dir").arg(target_dir);
    for id in BUNDLED {
        cargo.args(["--package", &format!("bellhop-{id}")]);
    }
    for name in LEFT_OUT {
        cargo.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PROFILE_") {
            cargo.env_remove(name);
        }
    }
    // The linker stands in .cargo/config.toml too, which is found only from within the workspace.
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-component-ld");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", remapped_paths(root));
    let output = cargo.output().map_err(|error| format!("could not run cargo for the bundled plugins: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        println!("cargo::warning={line}");
    }
    Err("the bundled plugins did not build; the compiler's messages stand above".to_owned())
}

/// Panic messages hold source paths: without this the same sources give other bytes in another folder.
fn remapped_paths(root: &Path) -> String {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=bellhop", root.display())];
    if let Some(home) = cargo_home {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    flags.join("\u{1f}")
}

/// Appends the manifest to the linked component: a section made in Rust would land in a nested module.
fn pack(built: &Path, manifest: &Path, packed: &Path) -> Result<(), String> {
    let mut component = read(built)?;
    let section = CustomSection { name: MANIFEST_SECTION.into(), data: read(manifest)?.into() };
    section.append_to_component(&mut component);
    // An untouched file keeps its time, so that nothing that includes it is built again.
    if fs::read(packed).is_ok_and(|before| before == component) {
        return Ok(());
    }
    fs::write(packed, component).map_err(|error| format!("could not write {}: {error}", packed.display()))
}

/// Watches every source that cargo's dependency file of a component lists: the plugin's, the SDK's, the contract's.
fn watch_sources(dependency_file: &Path) -> Result<(), String> {
    let listed = String::from_utf8_lossy(&read(dependency_file)?).into_owned();
    let sources = listed.split_once(".wasm: ").map(|(_, sources)| sources.trim()).unwrap_or_default();
    // Spaces inside a path are written as `\ `.
    for source in sources.replace("\\ ", "\u{0}").split(' ').filter(|source| !source.is_empty()) {
        watch(Path::new(&source.replace('\u{0}', " ")));
    }
    Ok(())
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("could not read {}: {error}", path.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("cargo did not set {name} for the build script"))
}
