//! Compressed chunks are decoded up to the size that the array's metadata give them, and no further.
//!
//! The engine's own codecs decode what the stored bytes ask for: a few kilobytes of gzip are gigabytes of zeros, and a frame of
//! Zstandard or Blosc says itself how much is to be allocated. Codecs of the same names that are registered at run time come
//! before the engine's, for chunks, chunks within shards and indices of shards alike.

use flate2::read::{GzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;
use std::sync::{Arc, Once};
use zarrs::array::codec::api::{
    CodecRuntimePluginV2, CodecRuntimePluginV3, PartialDecoderCapability, PartialEncoderCapability,
    register_codec_v2, register_codec_v3,
};
use zarrs::array::codec::bytes_to_bytes::blosc::blosc_validate;
use zarrs::array::codec::{BloscCodec, GzipCodec, ZlibCodec, ZstdCodec};
use zarrs::array::{
    ArrayBytesRaw, BytesRepresentation, BytesToBytesCodecTraits, Codec, CodecError, CodecMetadataOptions,
    CodecOptions, CodecTraits, CodecTraitsV2, CodecTraitsV3, RecommendedConcurrency,
};
use zarrs::metadata::Configuration;
use zarrs::plugin::{ExtensionAliasesV2, ExtensionAliasesV3, ExtensionName, ZarrVersion};

/// Makes the engine decode within bounds, from now on and in this whole process.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        register_as::<GzipCodec>(Form::Gzip);
        register_as::<ZlibCodec>(Form::Zlib);
        register_as::<ZstdCodec>(Form::Zstd);
        register_as::<BloscCodec>(Form::Blosc);
    });
}

/// How compressed bytes are decoded within a bound.
#[derive(Clone, Copy, Debug)]
enum Form {
    Gzip,
    Zlib,
    Zstd,
    Blosc,
}

fn register_as<C>(form: Form)
where
    C: CodecTraitsV2 + CodecTraitsV3 + ExtensionAliasesV2 + ExtensionAliasesV3 + 'static,
{
    let bounded = move |codec| match codec {
        Codec::BytesToBytes(inner) => Codec::BytesToBytes(Arc::new(Bounded { inner, form })),
        other => other,
    };
    register_codec_v3(CodecRuntimePluginV3::new(
        <C as zarrs::plugin::ExtensionAliases<zarrs::plugin::ZarrVersion3>>::matches_name,
        move |metadata| <C as CodecTraitsV3>::create(metadata).map(bounded),
    ));
    register_codec_v2(CodecRuntimePluginV2::new(
        <C as zarrs::plugin::ExtensionAliases<zarrs::plugin::ZarrVersion2>>::matches_name,
        move |metadata| <C as CodecTraitsV2>::create(metadata).map(bounded),
    ));
}

/// A codec of the engine whose decoder knows its bound.
#[derive(Debug)]
struct Bounded {
    inner: Arc<dyn BytesToBytesCodecTraits>,
    form: Form,
}

impl Bounded {
    /// The decoded bytes, of which there are at most `most`.
    fn decoded(&self, stored: &[u8], most: usize, options: &CodecOptions) -> Result<Vec<u8>, CodecError> {
        match self.form {
            Form::Gzip => read_to(GzDecoder::new(stored), stored.len(), most),
            Form::Zlib => read_to(ZlibDecoder::new(stored), stored.len(), most),
            Form::Zstd => {
                let mut decoded = Vec::new();
                decoded.try_reserve_exact(most).map_err(|error| CodecError::Other(error.to_string()))?;
                // What would not fit in the space that is there is an error of the decoder.
                zstd::bulk::Decompressor::new()?.decompress_to_buffer(stored, &mut decoded).map_err(
                    |error| CodecError::Other(format!("{error}: more than {most} bytes, or damaged")),
                )?;
                Ok(decoded)
            }
            Form::Blosc => match blosc_validate(stored) {
                Some(bytes) if bytes > most => Err(too_much(most)),
                _ => {
                    let size = BytesRepresentation::BoundedSize(most as u64);
                    self.inner.decode(Cow::Borrowed(stored), &size, options).map(Cow::into_owned)
                }
            },
        }
    }
}

/// All bytes of a stream that has at most `most`; its checksums are compared at its end.
fn read_to(decoder: impl Read, stored: usize, most: usize) -> Result<Vec<u8>, CodecError> {
    let mut decoded = Vec::with_capacity(stored.saturating_mul(4).min(most.saturating_add(1)));
    decoder.take((most as u64).saturating_add(1)).read_to_end(&mut decoded)?;
    if decoded.len() > most { Err(too_much(most)) } else { Ok(decoded) }
}

fn too_much(most: usize) -> CodecError {
    CodecError::Other(format!("it decodes to more than the {most} bytes that its array's metadata give it"))
}

impl ExtensionName for Bounded {
    fn name(&self, version: ZarrVersion) -> Option<Cow<'static, str>> {
        self.inner.name(version)
    }
}

impl CodecTraits for Bounded {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn configuration(&self, version: ZarrVersion, options: &CodecMetadataOptions) -> Option<Configuration> {
        self.inner.configuration(version, options)
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        // Parts are cut out of the whole, which is decoded within its bound.
        PartialDecoderCapability { partial_read: false, partial_decode: false }
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        self.inner.partial_encoder_capability()
    }
}

impl BytesToBytesCodecTraits for Bounded {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn BytesToBytesCodecTraits> {
        self
    }

    fn recommended_concurrency(
        &self,
        decoded: &BytesRepresentation,
    ) -> Result<RecommendedConcurrency, CodecError> {
        self.inner.recommended_concurrency(decoded)
    }

    fn encoded_representation(&self, decoded: &BytesRepresentation) -> BytesRepresentation {
        self.inner.encoded_representation(decoded)
    }

    fn encode<'a>(
        &self,
        decoded: ArrayBytesRaw<'a>,
        options: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        self.inner.encode(decoded, options)
    }

    fn decode<'a>(
        &self,
        stored: ArrayBytesRaw<'a>,
        decoded: &BytesRepresentation,
        options: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        let most = decoded.size().and_then(|most| usize::try_from(most).ok());
        let most = most.ok_or_else(|| CodecError::Other("its decoded size has no bound".into()))?;
        self.decoded(&stored, most, options).map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each codec makes of bytes, under the name and the configuration that metadata give it.
    fn encoded(bytes: &[u8]) -> Vec<(Codec, Vec<u8>)> {
        register();
        [
            r#"{"name": "gzip", "configuration": {"level": 6}}"#,
            r#"{"name": "numcodecs.zlib", "configuration": {"level": 6}}"#,
            r#"{"name": "zstd", "configuration": {"level": 3, "checksum": true}}"#,
            r#"{"name": "blosc", "configuration": {"cname": "zstd", "clevel": 5, "shuffle": "noshuffle", "blocksize": 0}}"#,
        ]
        .into_iter()
        .map(|document| {
            let codec = Codec::from_metadata(&zarrs::metadata::v3::MetadataV3::try_from(document).unwrap()).unwrap();
            let Codec::BytesToBytes(inner) = &codec else { panic!("{document}") };
            let stored = inner.encode(Cow::Borrowed(bytes), &CodecOptions::default()).unwrap().into_owned();
            (codec, stored)
        })
        .collect()
    }

    fn decode(codec: &Codec, stored: &[u8], most: u64) -> Result<Vec<u8>, CodecError> {
        let Codec::BytesToBytes(codec) = codec else { panic!() };
        let size = BytesRepresentation::FixedSize(most);
        codec.decode(Cow::Borrowed(stored), &size, &CodecOptions::default()).map(Cow::into_owned)
    }

    #[test]
    fn a_chunk_is_decoded_up_to_its_declared_size_and_no_further() {
        let bytes = vec![7; 1 << 20];
        for (codec, stored) in encoded(&bytes) {
            assert_eq!(decode(&codec, &stored, bytes.len() as u64).unwrap(), bytes, "{codec:?}");
            for most in [0, 256, bytes.len() as u64 - 1] {
                let error = decode(&codec, &stored, most).unwrap_err().to_string();
                assert!(error.contains("more than"), "{codec:?}: {error}");
            }
        }
    }

    #[test]
    fn the_checksum_of_a_stream_that_fits_is_compared() {
        let bytes = vec![7; 1000];
        for (codec, mut stored) in encoded(&bytes).into_iter().take(3) {
            let last = stored.len() - 1;
            stored[last] ^= 1;
            assert!(decode(&codec, &stored, 1000).is_err(), "{codec:?}");
        }
    }
}
