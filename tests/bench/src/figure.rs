//! One printed line: a value, the floor it was measured against in the same run, and the bar if there is one.

use std::fmt;

/// What must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// The value over its floor is at most this.
    RatioAtMost(f64),
    /// The value over its floor is at least this.
    RatioAtLeast(f64),
    /// The value itself is at most this.
    AtMost(f64),
}

/// A measured figure.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    floor: Option<f64>,
    bar: Option<Bar>,
}

impl Figure {
    /// A value by itself.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, floor: None, bar: None }
    }

    /// The same thing done the barest way, in the same unit and the same run.
    pub(crate) fn over(self, floor: f64) -> Self {
        Self { floor: Some(floor), ..self }
    }

    /// What the figure is held to.
    pub(crate) fn bar(self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    fn ratio(&self) -> Option<f64> {
        self.floor.map(|floor| self.value / floor)
    }

    /// A bar on a ratio is missed when there is no floor.
    fn is_met(&self, bar: Bar) -> bool {
        match bar {
            Bar::RatioAtMost(most) => self.ratio().is_some_and(|ratio| ratio <= most),
            Bar::RatioAtLeast(least) => self.ratio().is_some_and(|ratio| ratio >= least),
            Bar::AtMost(most) => self.value <= most,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, Short(self.value), self.unit)?;
        if let (Some(floor), Some(ratio)) = (self.floor, self.ratio()) {
            write!(f, " floor={} ratio={ratio:.2}", Short(floor))?;
        }
        if let Some(bar) = self.bar {
            match bar {
                Bar::RatioAtMost(most) => write!(f, " bar=ratio<={most}")?,
                Bar::RatioAtLeast(least) => write!(f, " bar=ratio>={least}")?,
                Bar::AtMost(most) => write!(f, " bar=<={most}")?,
            }
            f.write_str(if self.is_met(bar) { " met" } else { " missed" })?;
        }
        Ok(())
    }
}

/// A number with about three significant digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.abs() {
            size if size >= 100.0 => write!(f, "{:.0}", self.0),
            size if size >= 10.0 => write!(f, "{:.1}", self.0),
            size if size >= 1.0 => write!(f, "{:.2}", self.0),
            _ => write!(f, "{:.4}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_value_floor_ratio_and_whether_the_bar_is_met() {
        let figure = Figure::new("call", 30.0, "us").over(20.0);
        assert_eq!(figure.to_string(), "call 30.0 us floor=20.0 ratio=1.50");
        assert_eq!(
            figure.clone().bar(Bar::RatioAtMost(1.5)).to_string(),
            "call 30.0 us floor=20.0 ratio=1.50 bar=ratio<=1.5 met"
        );
        assert!(figure.clone().bar(Bar::RatioAtLeast(1.6)).to_string().ends_with("bar=ratio>=1.6 missed"));
        assert!(figure.bar(Bar::AtMost(29.0)).to_string().ends_with("bar=<=29 missed"));
    }

    #[test]
    fn a_bar_on_a_ratio_is_missed_without_a_floor() {
        assert!(Figure::new("call", 1.0, "us").bar(Bar::RatioAtMost(9.0)).to_string().ends_with("missed"));
    }
}
