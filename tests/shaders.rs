//! Shaders as naga reads them, without a device.

use std::collections::BTreeSet;

use naga::front::wgsl;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Literal, Module, ScalarKind, StorageAccess, TypeInner};
use widetape::gpu::{
    Answer, BLOCK, BY_NOTIONAL, BY_RANGE, BY_TRADES, BY_VOLUME, EXTREME_BLOCK, LANES, NO_VWAP,
    NOBODY, Params, Pick, Shaders, Stage, TALLY_BYTES, TILES, Tier, Total, VECTOR,
};

/// The module, if it is valid on a device that has what the tier needs and nothing more.
fn validated(text: &str, tier: Tier) -> Result<Module, String> {
    let module = wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
    let capabilities = match tier {
        Tier::Words => Capabilities::empty(),
        Tier::Longs => Capabilities::SHADER_INT64,
        Tier::Subgroups => Capabilities::SHADER_INT64 | Capabilities::SUBGROUP,
    };
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    let checked = validator.validate(&module);
    checked.map_err(|error| error.emit_to_string(text))?;
    Ok(module)
}

/// Every module of every tier.
fn modules() -> Vec<(String, Tier, Option<Stage>, Module)> {
    let shaders = Shaders::default();
    let mut modules = Vec::new();
    for tier in Tier::EACH {
        let stages = Stage::EACH.map(|stage| (Some(stage), shaders.module(stage, tier)));
        for (stage, text) in stages.into_iter().chain([(None, shaders.canary(tier))]) {
            let name = format!("{stage:?} in tier {tier}");
            match validated(&text, tier) {
                Ok(module) => modules.push((name, tier, stage, module)),
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
    modules
}

#[test]
fn every_shader_is_valid_in_every_tier_and_no_lower_one() {
    assert_eq!(modules().len(), 3 * 13);
    let shaders = Shaders::default();
    for (tier, below) in [(Tier::Longs, Tier::Words), (Tier::Subgroups, Tier::Longs)] {
        let text = shaders.module(Stage::SumsReduce, tier);
        assert!(
            validated(&text, below).is_err(),
            "{tier} is more than {below}"
        );
    }
    let broken = shaders.replacing("let block", "let blocks");
    let text = broken.module(Stage::SumsReduce, Tier::Words);
    assert!(validated(&text, Tier::Words).is_err());
}

/// The names, offsets and size of a struct's fields, all of which are u32 unless said otherwise.
fn fields(module: &Module, name: &str) -> Option<(Vec<(String, u32)>, u32)> {
    let found = module
        .types
        .iter()
        .find(|(_, ty)| ty.name.as_deref() == Some(name))?;
    let TypeInner::Struct { members, span } = &found.1.inner else {
        return None;
    };
    let field = |member: &naga::StructMember| (member.name.clone().unwrap(), member.offset);
    Some((members.iter().map(field).collect(), *span))
}

/// The same of a struct of the host.
macro_rules! host {
    ($type:ty: $($field:ident)*) => {
        (
            vec![$((
                stringify!($field).to_owned(),
                std::mem::offset_of!($type, $field) as u32,
            )),*],
            size_of::<$type>() as u32,
        )
    };
}

#[test]
fn structs_have_the_same_layout_on_both_sides() {
    let params = host!(Params: executions windows sum_blocks extreme_blocks level first_row widths
        first_end ends step symbols count measure basis_points is_picking);
    let answer = host!(Answer: notional_low notional_middle notional_high volume_low volume_high
        high low open close trades);
    let pick = host!(Pick: symbol answer);
    let total =
        host!(Total: notional_low notional_middle notional_high volume_low volume_high trades);
    for (name, _, stage, module) in modules() {
        if stage.is_some() {
            assert_eq!(fields(&module, "Params"), Some(params.clone()), "{name}");
        }
        assert_eq!(fields(&module, "Answer"), Some(answer.clone()), "{name}");
        assert_eq!(fields(&module, "Pick"), Some(pick.clone()), "{name}");
        if stage == Some(Stage::Totals) {
            assert_eq!(fields(&module, "Total"), Some(total.clone()), "{name}");
        }
        let (_, tally) = fields(&module, "Tally").expect("sums are everywhere");
        assert_eq!(u64::from(tally), TALLY_BYTES, "{name}");
    }
}

fn constant(module: &Module, name: &str) -> Option<u32> {
    let mut constants = module.constants.iter();
    let found = constants.find(|(_, constant)| constant.name.as_deref() == Some(name))?;
    match module.global_expressions[found.1.init] {
        Expression::Literal(Literal::U32(value)) => Some(value),
        _ => None,
    }
}

#[test]
fn constants_have_the_same_values_on_both_sides() {
    for (name, tier, _, module) in modules() {
        for (constant_name, value) in [
            ("LANES", LANES),
            ("VECTOR", VECTOR),
            ("TILES", TILES),
            ("BLOCK", BLOCK),
            ("EXTREME_BLOCK", EXTREME_BLOCK),
            ("BY_VOLUME", BY_VOLUME),
            ("BY_NOTIONAL", BY_NOTIONAL),
            ("BY_TRADES", BY_TRADES),
            ("BY_RANGE", BY_RANGE),
            ("NOBODY", NOBODY),
            ("NO_VWAP", NO_VWAP),
        ] {
            assert_eq!(constant(&module, constant_name), Some(value), "{name}");
        }
        if tier == Tier::Subgroups {
            // No device has subgroups of fewer than four lanes.
            assert_eq!(constant(&module, "SUBGROUPS"), Some(LANES / 4), "{name}");
        }
        let [entry] = &module.entry_points[..] else {
            panic!("{name}: one entry");
        };
        assert_eq!(
            (entry.name.as_str(), entry.workgroup_size),
            ("main", [LANES, 1, 1]),
            "{name}"
        );
    }
}

#[test]
fn planes_are_bound_where_the_host_binds_them() {
    for (name, _, stage, module) in modules() {
        let Some(stage) = stage else {
            continue;
        };
        let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
        for (_, variable) in module.global_variables.iter() {
            let Some(binding) = &variable.binding else {
                continue;
            };
            assert_eq!(binding.group, 0, "{name}");
            match variable.space {
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
                    written.insert(binding.binding);
                }
                AddressSpace::Storage { .. } => {
                    read.insert(binding.binding);
                }
                space => assert_eq!((space, binding.binding), (AddressSpace::Uniform, 0)),
            }
        }
        let (reads, writes) = stage.planes();
        let numbers = |planes: &[widetape::gpu::Plane]| {
            planes
                .iter()
                .map(|&plane| plane as u32)
                .collect::<BTreeSet<u32>>()
        };
        assert_eq!((read, written), (numbers(reads), numbers(writes)), "{name}");
        assert!(
            reads.len() + writes.len() <= 8,
            "{name}: what every device binds"
        );
    }
}

#[test]
fn no_float_takes_part_in_an_answer() {
    for (name, _, _, module) in modules() {
        let is_float = |ty: &naga::Type| ty.inner.scalar_kind() == Some(ScalarKind::Float);
        assert!(!module.types.iter().any(|(_, ty)| is_float(ty)), "{name}");
    }
}
