//! How a cost grows: the exponent `k` of `cost = c * size^k`.

/// Returns the slope of the line through the logarithms, by least squares. 1 is linear.
pub(super) fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .map(|(size, cost)| (size.ln(), cost.ln()))
        .collect();
    let count = logs.len() as f64;
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_power() {
        let of = |power: i32| {
            let points: Vec<(f64, f64)> = [1.0, 2.0, 5.0, 10.0]
                .map(|size: f64| (size, 3.0 * size.powi(power)))
                .to_vec();
            exponent(&points)
        };
        assert!((of(1) - 1.0).abs() < 1e-9);
        assert!((of(2) - 2.0).abs() < 1e-9);
    }
}
