//! Stages compiled for a device.

use std::num::NonZero;

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, BindGroupLayoutDescriptor,
    BindGroupLayoutEntry, BindingResource, BindingType, Buffer, BufferBinding, BufferBindingType,
    ComputePipeline, ComputePipelineDescriptor, PipelineCompilationOptions,
    PipelineLayoutDescriptor, ShaderModuleDescriptor, ShaderSource, ShaderStages,
};

use super::device::Device;
use super::params::Params;
use super::shader::{Plane, Shaders, Stage};

const PARAMS_BYTES: NonZero<u64> = NonZero::new(size_of::<Params>() as u64).expect("it has fields");

/// A stage, compiled.
pub(super) struct Compiled {
    pub(super) stage: Stage,
    layout: BindGroupLayout,
    /// For notionals of 64 bits and of 96.
    pipelines: [ComputePipeline; 2],
}

impl Compiled {
    pub(super) fn new(device: &Device, shaders: &Shaders, stage: Stage) -> Self {
        let text = shaders.module(stage, device.tier);
        let (read, written) = stage.planes();
        let number = |read_only| move |&plane: &Plane| (plane as u32, read_only);
        let read = read.iter().map(number(true));
        let bindings: Vec<(u32, bool)> = read.chain(written.iter().map(number(false))).collect();
        let layout = layout(device, &bindings, Some(PARAMS_BYTES));
        let wide = pipeline(device, &layout, &text, &[]);
        let narrow = match stage {
            Stage::SumsApply | Stage::Windows => {
                pipeline(device, &layout, &text, &[("is_wide", 0.0)])
            }
            _ => wide.clone(),
        };
        Self {
            stage,
            layout,
            pipelines: [narrow, wide],
        }
    }

    pub(super) fn pipeline(&self, is_wide: bool) -> &ComputePipeline {
        &self.pipelines[usize::from(is_wide)]
    }

    /// The planes of the stage, bound.
    pub(super) fn bind<'a>(
        &self,
        device: &Device,
        params: &Buffer,
        buffer_of: impl Fn(Plane) -> &'a Buffer,
    ) -> BindGroup {
        let (read, written) = self.stage.planes();
        let params = BindGroupEntry {
            binding: 0,
            resource: BindingResource::Buffer(BufferBinding {
                buffer: params,
                offset: 0,
                size: Some(PARAMS_BYTES),
            }),
        };
        let planes = read.iter().chain(written).map(|&plane| BindGroupEntry {
            binding: plane as u32,
            resource: buffer_of(plane).as_entire_binding(),
        });
        let entries: Vec<BindGroupEntry<'_>> = std::iter::once(params).chain(planes).collect();
        device.device.create_bind_group(&BindGroupDescriptor {
            label: None,
            layout: &self.layout,
            entries: &entries,
        })
    }
}

/// Storage buffers at these bindings, (number, whether it is only read), and parameters at binding 0
/// where they have a size.
pub(super) fn layout(
    device: &Device,
    bindings: &[(u32, bool)],
    params: Option<NonZero<u64>>,
) -> BindGroupLayout {
    let entry = |binding, ty, has_dynamic_offset, min_binding_size| BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty,
            has_dynamic_offset,
            min_binding_size,
        },
        count: None,
    };
    let planes = bindings.iter().map(|&(binding, read_only)| {
        entry(
            binding,
            BufferBindingType::Storage { read_only },
            false,
            None,
        )
    });
    let params = params.map(|_| entry(0, BufferBindingType::Uniform, true, params));
    let entries: Vec<BindGroupLayoutEntry> = planes.chain(params).collect();
    device
        .device
        .create_bind_group_layout(&BindGroupLayoutDescriptor {
            label: None,
            entries: &entries,
        })
}

/// The entry `main` of a module.
pub(super) fn pipeline(
    device: &Device,
    layout: &BindGroupLayout,
    text: &str,
    constants: &[(&str, f64)],
) -> ComputePipeline {
    let module = device.device.create_shader_module(ShaderModuleDescriptor {
        label: None,
        source: ShaderSource::Wgsl(text.into()),
    });
    let layout = device
        .device
        .create_pipeline_layout(&PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(layout)],
            immediate_size: 0,
        });
    device
        .device
        .create_compute_pipeline(&ComputePipelineDescriptor {
            label: None,
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: PipelineCompilationOptions {
                constants,
                ..PipelineCompilationOptions::default()
            },
            cache: None,
        })
}
