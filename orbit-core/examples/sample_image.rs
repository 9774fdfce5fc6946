//! Writes a small image to standard output, as `docker save` would: for trying Orbit where there is
//! no container tool.
//!
//! ```sh
//! cargo run -q --example sample_image > sample.tar
//! ```

use std::io::{self, Write as _};

use orbit_core::testing::archives::{ImageSpec, LayerSpec, docker_archive, dpkg_entry};

fn main() -> io::Result<()> {
    let packages = [dpkg_entry("busybox", "1:1.35.0-4"), dpkg_entry("zlib1g", "1:1.2.13")];
    let files = [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n"),
        ("var/lib/dpkg/status", &packages.concat()),
        ("srv/hello", "Hello from Orbit\n"),
    ];
    let image = ImageSpec { layers: vec![LayerSpec::of(&files)], ..ImageSpec::default() };
    io::stdout().write_all(&docker_archive(&image))
}
