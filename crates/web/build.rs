//! Takes the three files of Swagger UI that `/docs` serves, and its licence, out of the archive that comes as a crate.

use std::{
    error::Error,
    fs::{self, File},
    io::{self, Cursor},
    path::Path,
};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// Behind the archive's only folder, which has the version in its name.
const WANTED: [&str; 3] = ["dist/swagger-ui-bundle.js", "dist/swagger-ui.css", "LICENSE"];

#[expect(clippy::disallowed_methods, reason = "a build script is told its folder by the environment alone")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let folder = Path::new(&std::env::var("OUT_DIR")?).join("swagger-ui");
    fs::create_dir_all(&folder)?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let root = archive.name_for_index(0).ok_or("the archive is empty")??.into_owned();
    for wanted in WANTED {
        let name = Path::new(wanted).file_name().ok_or("a file has a name")?;
        io::copy(&mut archive.by_name(&format!("{root}{wanted}"))?, &mut File::create(folder.join(name))?)?;
    }
    Ok(())
}
