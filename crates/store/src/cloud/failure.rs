//! What kind of failure a client error is.

use object_store::Error as ClientError;

use super::connector::{Outcome, Trace};
use crate::Class;

/// The client's error says it for permanent refusals; for the rest, what last happened on the wire.
pub(crate) fn class(error: &ClientError, trace: &Trace) -> Class {
    if trace.last == Outcome::NoCredentials {
        return Class::Permission;
    }
    if let Outcome::Fault(class) = trace.last {
        return class;
    }
    match error {
        ClientError::NotFound { .. } => Class::NotFound,
        ClientError::PermissionDenied { .. } | ClientError::Unauthenticated { .. } => Class::Permission,
        ClientError::AlreadyExists { .. }
        | ClientError::Precondition { .. }
        | ClientError::NotModified { .. } => Class::Precondition,
        ClientError::NotSupported { .. } | ClientError::NotImplemented { .. } => Class::Unsupported,
        ClientError::UnknownConfigurationKey { .. } | ClientError::InvalidPath { .. } => Class::Usage,
        _ => match trace.last {
            Outcome::Status(401 | 403) => Class::Permission,
            Outcome::Status(412) => Class::Precondition,
            Outcome::Status(501) => Class::Unsupported,
            Outcome::Status(429 | 503) => Class::Throttled,
            // 2xx: the answer began well and broke off.
            Outcome::NoAnswer | Outcome::Status(200..300 | 408 | 500..) => Class::Transient,
            Outcome::Nothing | Outcome::NoCredentials | Outcome::Fault(_) | Outcome::Status(_) => {
                Class::Other
            }
        },
    }
}
