// SPDX-License-Identifier: EUPL-1.2
//! Builds the desk's files into the program: each with its media type, a tag of its content and,
//! where that is shorter, a compressed form. Without a built desk there is one page that says so.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Belofte</title>\
<h1>The desk is not built</h1><p>This program was built without the folder <code>web/desk/dist</code>. \
Run <code>cargo xtask run</code>, which builds it, or <code>npm run build</code> in <code>web</code>, and \
build the program again. The API works.</p></html>";

fn main() {
    let manifest = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets it"));
    let dist = manifest.join("../../web/desk/dist");
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo looks through a folder; of one that is absent it watches the nearest that exists.
    println!(
        "cargo::rerun-if-changed={}",
        if dist.exists() { dist.clone() } else { manifest.join("../../web/desk") }.display()
    );

    let mut files = Vec::new();
    collect(&dist, &dist, &mut files);
    let built = files.iter().any(|(name, _)| name == "index.html");
    if !built {
        files = vec![("index.html".to_owned(), MISSING.as_bytes().to_vec())];
    }
    files.sort();

    let folder = out.join("desk");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the output folder can be written");
    let mut table = format!("pub const BUILT: bool = {built};\npub static FILES: &[File] = &[\n");
    for (number, (name, bytes)) in files.iter().enumerate() {
        let plain = folder.join(number.to_string());
        fs::write(&plain, bytes).expect("the output folder can be written");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory");
        let packed = encoder.finish().expect("memory");
        let shorter = packed.len() * 10 < bytes.len() * 9;
        let packed_path = folder.join(format!("{number}.gz"));
        if shorter {
            fs::write(&packed_path, &packed).expect("the output folder can be written");
        }
        let mut crc = Crc::new();
        crc.update(bytes);
        writeln!(
            table,
            "    File {{ name: {name:?}, media_type: {:?}, tag: \"\\\"{:08x}-{:x}\\\"\", immutable: {}, \
             plain: include_bytes!({plain:?}), gzip: {} }},",
            media_type(name),
            crc.sum(),
            bytes.len(),
            // The bundler names these files by their content.
            name.starts_with("assets/"),
            if shorter { format!("Some(include_bytes!({packed_path:?}))") } else { "None".to_owned() },
        )
        .expect("memory");
    }
    table.push_str("];\n");
    fs::write(out.join("desk.rs"), table).expect("the output folder can be written");
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_none_or(|extension| extension != "map") {
            let name = path.strip_prefix(root).expect("below its root").to_string_lossy().replace('\\', "/");
            files.push((name, fs::read(&path).expect("a file that was listed can be read")));
        }
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
