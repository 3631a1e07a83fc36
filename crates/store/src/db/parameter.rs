//! Values of parameters. PostgreSQL keeps no NUL in texts and JSON: one in a foreign text would fail its statement, and with it
//! everything that the statement writes besides. It arrives as U+2400, which looks like what it is: ␀.

use std::{borrow::Cow, io::Write};

use diesel::{
    pg::Pg,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::*,
};
use serde::Serialize;
use serde_json::{
    Serializer,
    ser::{CharEscape, CompactFormatter, Formatter},
};

const VISIBLE_NUL: &str = "\u{2400}";

/// A value for a parameter of an SQL type.
pub(crate) trait Parameter<Type> {
    type Storable: ToSql<Type, Pg> + Send;

    /// The value as PostgreSQL keeps it.
    fn storable(self) -> Self::Storable;
}

/// A text, or what is kept as JSON, without NUL.
#[derive(Debug)]
pub(crate) struct WithoutNul<V>(V);

impl<V: AsRef<str> + std::fmt::Debug> ToSql<Text, Pg> for WithoutNul<V> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let text = self.0.as_ref();
        let storable = if text.contains('\0') {
            Cow::Owned(text.replace('\0', VISIBLE_NUL))
        } else {
            Cow::Borrowed(text)
        };
        out.write_all(storable.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<V: Serialize + std::fmt::Debug> ToSql<Jsonb, Pg> for WithoutNul<V> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[1])?; // the version of the format, as text follows
        self.0.serialize(&mut Serializer::with_formatter(out, VisibleNul))?;
        Ok(IsNull::No)
    }
}

struct VisibleNul;

impl Formatter for VisibleNul {
    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> std::io::Result<()> {
        match escape {
            CharEscape::AsciiControl(0) => writer.write_all(VISIBLE_NUL.as_bytes()),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }
}

macro_rules! without_nul {
    ($sql_type:ty, $($bound:tt)+) => {
        impl<V: $($bound)+ + std::fmt::Debug + Send> Parameter<$sql_type> for V {
            type Storable = WithoutNul<V>;
            fn storable(self) -> Self::Storable {
                WithoutNul(self)
            }
        }

        impl<V: $($bound)+ + std::fmt::Debug + Send> Parameter<Nullable<$sql_type>> for Option<V> {
            type Storable = Option<WithoutNul<V>>;
            fn storable(self) -> Self::Storable {
                self.map(WithoutNul)
            }
        }

        impl<V: $($bound)+ + std::fmt::Debug + Send> Parameter<Array<$sql_type>> for Vec<V> {
            type Storable = Vec<WithoutNul<V>>;
            fn storable(self) -> Self::Storable {
                self.into_iter().map(WithoutNul).collect()
            }
        }

        impl<'v, V> Parameter<Array<$sql_type>> for &'v [V]
        where
            V: std::fmt::Debug + Sync,
            &'v V: $($bound)+,
        {
            type Storable = Vec<WithoutNul<&'v V>>;
            fn storable(self) -> Self::Storable {
                self.iter().map(WithoutNul).collect()
            }
        }

        impl<V: $($bound)+ + std::fmt::Debug + Send> Parameter<Array<Nullable<$sql_type>>> for Vec<Option<V>> {
            type Storable = Vec<Option<WithoutNul<V>>>;
            fn storable(self) -> Self::Storable {
                self.into_iter().map(|it| it.map(WithoutNul)).collect()
            }
        }
    };
}

without_nul!(Text, AsRef<str>);
without_nul!(Jsonb, Serialize);

/// SQL types that hold no text.
macro_rules! as_it_is {
    ($($sql_type:ty),+) => {
        $(
            as_it_is!(@ $sql_type);
            as_it_is!(@ Nullable<$sql_type>);
            as_it_is!(@ Array<$sql_type>);
            as_it_is!(@ Nullable<Array<$sql_type>>);
            as_it_is!(@ Array<Nullable<$sql_type>>);
        )+
    };
    (@ $sql_type:ty) => {
        impl<V: ToSql<$sql_type, Pg> + Send> Parameter<$sql_type> for V {
            type Storable = V;
            fn storable(self) -> V {
                self
            }
        }
    };
}

as_it_is!(Uuid, Bool, Int2, Int4, Int8, Float8, Timestamptz, Date, Binary);
