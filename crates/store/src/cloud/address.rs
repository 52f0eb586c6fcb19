//! Addresses that settings make, looked at before the client makes requests of them: it panics over what is none.

use http::Uri;

use crate::Error;

/// Refuses an endpoint that is no address of a server.
pub(crate) fn endpoint(key: &str, value: &str) -> Result<(), Error> {
    let address = value.parse::<Uri>().ok();
    let is_one = address.is_some_and(|address| {
        matches!(address.scheme_str(), Some("http" | "https"))
            && address.host().is_some_and(|host| !host.is_empty())
    });
    if is_one {
        return Ok(());
    }
    let reason = format!("found {value:?}, expected an address such as https://server.example:9000");
    Err(Error::Option { key: key.to_owned(), reason })
}

/// Refuses what cannot be part of the name of a host: regions, accounts and buckets become one.
pub(crate) fn part_of_host(key: &str, value: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if !value.is_empty() && value.chars().all(fits) {
        return Ok(());
    }
    let reason = format!("found {value:?}, expected letters of the Latin alphabet, numbers and hyphens");
    Err(Error::Option { key: key.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused() {
        for good in
            ["http://lab:9000", "https://s3.example.org/path", "http://127.0.0.1:1", "http://[::1]:9000"]
        {
            endpoint("aws_endpoint", good).unwrap();
        }
        for bad in ["", "nourl", "lab:9000", "ftp://lab", "http://", "http://a b", "https:///x", "//lab"] {
            assert!(endpoint("aws_endpoint", bad).is_err(), "{bad}");
        }
        part_of_host("aws_region", "eu-central-1").unwrap();
        for bad in ["", "eu central", "eu/x", "é", "a\n"] {
            assert!(part_of_host("aws_region", bad).is_err(), "{bad}");
        }
    }
}
