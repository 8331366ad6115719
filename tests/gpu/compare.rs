//! A device is compared before it is timed, and timed before it is chosen.

use widetape::engine::calibration::measure;
use widetape::engine::compare::{CompareError, Comparison, Report, Size};
use widetape::gpu::{GpuOptions, Shaders};
use widetape::market::Duration;

use super::open;

fn compare(shaders: Shaders) -> Result<Report, CompareError> {
    let step = Duration::from_millis(1_000).expect("a second");
    let minute = Duration::from_millis(60_000).expect("a minute");
    let comparison = Comparison {
        sizes: vec![Size::new(30, 90, &[step, minute], Some(3_000))],
        files: Vec::new(),
        step,
        columns: None,
        gpu: GpuOptions {
            shaders,
            ..GpuOptions::default()
        },
    };
    comparison.run(&mut |_| {})
}

#[test]
fn every_tier_is_compared_and_timed() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    let report = compare(Shaders::default()).expect("equal answers");
    let rows = report.sizes[0].rows.iter();
    let backends: Vec<&str> = rows.map(|row| row.backend.as_str()).collect();
    assert_eq!(backends[..4], ["scalar", "simd", "parallel", "gpu u32"]);
    assert_eq!(report.copies.devices.len(), backends.len() - 3);
    assert_eq!(report.crossovers.len(), backends.len() - 3);
    let mut rows = report.sizes[0].rows.iter();
    assert!(rows.all(|row| row.reduced > 0.0));
}

#[test]
fn a_device_that_answers_wrongly_is_named() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    let right = "let symbol = row / params.widths;";
    let wrong = Shaders::default().replacing(right, "let symbol = row % params.widths;");
    let outcome = compare(wrong);
    let Err(CompareError::Mismatch(found)) = outcome else {
        panic!("not caught: {outcome:?}");
    };
    assert_eq!((&*found.backend, &*found.reference), ("gpu u32", "simd"));
    let right = "symbol < params.symbols; symbol += LANES";
    let wrong =
        Shaders::default().replacing(right, "symbol + 1u < params.symbols; symbol += LANES");
    let outcome = compare(wrong);
    let Err(CompareError::Mismatch(found)) = outcome else {
        panic!("not caught: {outcome:?}");
    };
    assert_eq!(found.what, "totals of the universe");
}

#[test]
fn what_a_request_costs_can_be_measured() {
    let Some(gpu) = open(&GpuOptions::default()) else {
        return;
    };
    let costs = measure(&gpu);
    assert!(costs.are_sane() && costs.request > 0.0, "{costs:?}");
}
