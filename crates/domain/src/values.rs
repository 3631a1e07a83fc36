//! Parsed values. A value that exists is valid: its only door is its parser.

mod call_sign;
mod country;
mod email;
mod imo_number;
mod interval;
mod mmsi;
mod qr_code;
mod registers;
mod sfi_code;

pub use call_sign::{CallSign, CallSignError};
pub use country::{CountryCode, CountryCodeError};
pub use email::{Email, EmailError};
pub use imo_number::{ImoCompanyNumber, ImoNumber, ImoNumberError};
pub use interval::{Interval, IntervalError};
pub use mmsi::{Mmsi, MmsiError};
pub use qr_code::{QrCode, QrCodeError};
pub use sfi_code::{SfiCode, SfiCodeError};

/// What every value that is a text can do: print, parse, go through serde, be read as `&str`.
macro_rules! text_value {
    ($name:ident, $error:ty) => {
        impl $name {
            /// The value in its one written form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}
use text_value;
