//! How many spaces are occupied: an interval for a sum of unequal coins.

use std::ops::RangeInclusive;

/// The central 95 % interval of the number of occupied spaces, given each one's probability.
///
/// The number is Poisson binomial if the spaces' errors are independent; its distribution is
/// computed exactly by convolution (Y. Hong, "On computing the distribution function for the
/// Poisson binomial distribution", Comput. Stat. Data Anal. 59, 2013, section 2). Errors within
/// a picture are not independent, so the variance is `dispersion` times as large: the interval
/// is stretched about the mean by its root, and rounded outward.
pub(super) fn interval(probabilities: &[f64], dispersion: f64) -> RangeInclusive<usize> {
    let n = probabilities.len();
    let mut mass = vec![0.0; n + 1];
    mass[0] = 1.0;
    for (i, p) in probabilities.iter().enumerate() {
        for k in (1..=i + 1).rev() {
            mass[k] = mass[k] * (1.0 - p) + mass[k - 1] * p;
        }
        mass[0] *= 1.0 - p;
    }
    let quantile = |q: f64| {
        let mut sum = 0.0;
        mass.iter().position(|m| {
            sum += m;
            sum >= q
        })
    };
    let (low, high) = (quantile(0.025).unwrap_or(0), quantile(0.975).unwrap_or(n));
    let mean: f64 = probabilities.iter().sum();
    let stretched = |k: usize| mean + (k as f64 - mean) * dispersion.sqrt();
    // Probabilities near 0 and 1 leave rounding errors of 1e-9 that must not widen the interval.
    let low = (stretched(low) + 1e-6).floor().clamp(0.0, n as f64) as usize;
    let high = (stretched(high) - 1e-6).ceil().clamp(0.0, n as f64) as usize;
    low..=high
}

#[cfg(test)]
mod tests {
    use super::interval;

    /// Quantiles of the binomial distribution, from its table.
    #[test]
    fn equal_coins_are_binomial() {
        assert_eq!(interval(&[0.5; 20], 1.0), 6..=14);
        assert_eq!(interval(&[0.1; 10], 1.0), 0..=3);
    }

    #[test]
    fn certainty_has_no_width_and_dispersion_widens() {
        assert_eq!(interval(&[1.0, 1.0, 0.0], 1.0), 2..=2);
        assert_eq!(interval(&[1.0, 1.0, 0.0], 4.0), 2..=2);
        assert_eq!(interval(&[], 2.0), 0..=0);
        assert_eq!(interval(&[0.5; 20], 4.0), 2..=18);
    }
}
