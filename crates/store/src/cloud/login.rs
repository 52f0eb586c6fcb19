//! `credential_process`: a program that prints credentials, which a profile of the shared AWS configuration names.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::aws::AwsCredential;
use object_store::client::CredentialProvider;
use serde::Deserialize;
use tokio::sync::Mutex;

/// Runs the program when credentials are needed, and again when those that it gave will end.
#[derive(Debug)]
pub(crate) struct CredentialProcess {
    command: String,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    credential: Arc<AwsCredential>,
    /// When the program is to be asked again; never, if it names no end.
    until: Option<Instant>,
}

/// What the program prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

impl CredentialProcess {
    pub(crate) fn new(command: String) -> Self {
        Self { command, kept: Mutex::default() }
    }
}

#[async_trait::async_trait]
impl CredentialProvider for CredentialProcess {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = &*kept
            && kept.until.is_none_or(|until| Instant::now() < until)
        {
            return Ok(Arc::clone(&kept.credential));
        }
        let command = self.command.clone();
        let printed = tokio::task::spawn_blocking(move || run(&command)).await;
        let printed = printed.map_err(|error| error.to_string()).and_then(|printed| printed);
        let printed = printed.map_err(|reason| object_store::Error::Unauthenticated {
            path: "credential_process".to_owned(),
            source: reason.into(),
        })?;
        let credential = Arc::new(AwsCredential {
            key_id: printed.access_key_id,
            secret_key: printed.secret_access_key,
            token: printed.session_token,
        });
        let until = printed.expiration.map(|_| Instant::now() + AGAIN);
        *kept = Some(Kept { credential: Arc::clone(&credential), until });
        Ok(credential)
    }
}

/// Runs the command line as a shell would, and reads what it prints. Its messages for people reach the terminal.
fn run(command: &str) -> Result<Printed, String> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = Command::new(shell)
        .args([flag, command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("the program of credential_process cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("the program of credential_process ended with {}", output.status));
    }
    let printed: Printed = serde_json::from_slice(&output.stdout)
        // What it printed may contain a secret.
        .map_err(|error| format!("the program of credential_process printed no credentials: {error}"))?;
    if printed.version == 1 {
        Ok(printed)
    } else {
        Err(format!("the program of credential_process printed version {}, 1 is known", printed.version))
    }
}

/// Temporary credentials are good for a quarter of an hour at least, and programs renew them before their end.
const AGAIN: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_read_and_what_it_does_wrong_is_told() {
        let good = r#"echo '{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "se cret", "SessionToken": "t"}'"#;
        let printed = run(good).unwrap();
        assert_eq!((printed.access_key_id.as_str(), printed.secret_access_key.as_str()), ("AK", "se cret"));
        assert_eq!(printed.session_token.as_deref(), Some("t"));
        for (command, told) in [
            ("exit 3", "ended with"),
            ("echo secret", "printed no credentials"),
            (r#"echo '{"Version": 2, "AccessKeyId": "a", "SecretAccessKey": "b"}'"#, "version 2"),
        ] {
            let reason = run(command).err().unwrap();
            assert!(reason.contains(told) && !reason.contains("secret"), "{reason}");
        }
    }
}
