//! When maintenance is due: after days, after running hours, or whichever comes first.

use serde::Serialize;

/// Why two numbers are no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// Neither days nor hours.
    #[error("needs everyDays or everyHours")]
    Missing,
    /// Days out of range.
    #[error("everyDays must be from 1 to 7300")]
    Days,
    /// Hours out of range.
    #[error("everyHours must be from 1 to 200000")]
    Hours,
}

/// An interval by calendar, by counter, or both ("whichever comes first"). At least one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    every_days: Option<i32>,
    every_hours: Option<i32>,
}

impl Interval {
    /// Checks the two numbers.
    ///
    /// # Errors
    ///
    /// Neither is there, or one is out of range.
    pub fn new(every_days: Option<i32>, every_hours: Option<i32>) -> Result<Self, IntervalError> {
        match (every_days, every_hours) {
            (None, None) => Err(IntervalError::Missing),
            (Some(days), _) if !(1..=7300).contains(&days) => Err(IntervalError::Days),
            (_, Some(hours)) if !(1..=200_000).contains(&hours) => Err(IntervalError::Hours),
            _ => Ok(Self { every_days, every_hours }),
        }
    }

    /// By calendar, in days.
    #[must_use]
    pub const fn every_days(&self) -> Option<i32> {
        self.every_days
    }

    /// By counter, in running hours.
    #[must_use]
    pub const fn every_hours(&self) -> Option<i32> {
        self.every_hours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_days_or_hours_or_both() {
        assert_eq!(Interval::new(None, None), Err(IntervalError::Missing));
        assert_eq!(Interval::new(Some(0), Some(250)), Err(IntervalError::Days));
        assert_eq!(Interval::new(None, Some(0)), Err(IntervalError::Hours));
        assert!(Interval::new(Some(30), None).is_ok());
        assert!(Interval::new(Some(30), Some(250)).is_ok());
    }
}
