//! The commands of the README's section on object stores, word for word but for names of hosts.

use std::process::{Command, Stdio};

use crate::servers::proxy::{Fault, Proxy};
use crate::servers::s3::S3;
use crate::servers::web::{Abilities, Web};
use crate::support::cells;
use crate::{ACCESS_KEY, SECRET_KEY, Site};

fn commands() -> Vec<String> {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let section = text.split("## Object stores").nth(1).unwrap().split("\n## ").next().unwrap();
    let block = section.split("```").nth(1).unwrap();
    block.lines().filter(|line| line.starts_with("fairzarr ")).map(str::to_owned).collect()
}

/// What the client takes for a service account that needs no token.
const NO_LOGIN: &str =
    r#"{"disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}"#;

#[test]
fn the_commands_work() {
    let site = Site::new();
    // Google's client asks this one: a server of the same dialect that wants no signatures.
    let google = S3::open_to_all();
    let before_google = Proxy::start(google.address, |_| Fault::None);
    let web = Web::start(Abilities::default());
    web.put("scan.ome.tif", &std::fs::read(cells()).unwrap());
    std::fs::copy(cells(), site.local("scan.ome.tif")).unwrap();
    for bucket in ["my-bucket", "lab-bucket"] {
        std::fs::create_dir_all(site.server.file(bucket)).unwrap();
        std::fs::create_dir_all(google.file(bucket)).unwrap();
    }
    let mut kinds = Vec::new();
    for line in commands() {
        let here = line
            .replace("http://minio.lab:9000", &format!("http://{}", site.proxy.address))
            .replace("https://example.org/scan.ome.tif", &web.url("scan.ome.tif"));
        let words: Vec<&str> = here.split_whitespace().skip(1).collect();
        if here.contains("az://") {
            // No server of Azure's protocol runs in this process; .ci/remote has one.
            kinds.push("az");
            continue;
        }
        kinds.push(["gs://", "minio", "s3://", "example"].iter().find(|kind| line.contains(*kind)).unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_fairzarr"));
        command
            .args(words)
            .current_dir(site.local(""))
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_REGION", "us-east-1")
            .env_remove("AWS_ENDPOINT_URL")
            .env_remove("AWS_PROFILE")
            .env("GOOGLE_BASE_URL", format!("http://{}", before_google.address))
            .env("GOOGLE_SERVICE_ACCOUNT_KEY", NO_LOGIN)
            .stdin(Stdio::null());
        if !line.contains("minio") {
            command.env("AWS_ENDPOINT_URL", format!("http://{}", site.proxy.address));
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["az", "example", "gs://", "minio", "s3://"]);
    for store in [
        site.server.file("my-bucket/scan.ome.zarr"),
        site.server.file("lab-bucket/scan.ome.zarr"),
        google.file("my-bucket/scan.ome.zarr"),
        site.local("scan.ome.zarr"),
    ] {
        site.fairzarr(["verify", cells().to_str().unwrap(), store.to_str().unwrap()]).done();
    }
}
