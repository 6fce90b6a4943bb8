//! The programs of both sides, op by op.

use dwmap_plan::{
    Column, Fit, FitMode, Op, Outputs, Overflow, Program, Repr, SlotId, Storage, Type,
};

use super::forms::{
    CODE, DESCRIPTION, GROUP, crm_text, erp_text, no_yes, no_yes_storage, no_yes_type, storage,
};

pub(super) fn erp_program() -> Program {
    let mut w = Writer::new(vec![
        column("dataAreaId", CODE, Repr::Text, erp_text(4, true)),
        column("CustomerGroupId", GROUP, Repr::Text, erp_text(10, true)),
        column("Description", DESCRIPTION, Repr::Text, erp_text(60, false)),
        column(
            "IsSalesTaxIncludedInPrice",
            no_yes_type(),
            Repr::EnumName(0),
            no_yes_storage(),
        ),
        column("PaymentTermId", GROUP, Repr::Text, erp_text(10, false)),
    ]);
    let own: Vec<SlotId> = (0..5).map(|at| w.read(at)).collect();
    let company = w.op(Type::Guid, |dst| Op::Find {
        dst,
        reference: 0,
        key: vec![own[0]],
    });
    let group = w.fit(own[1], GROUP, crm_text(10), FitMode::Write);
    let description = w.fit(own[2], Type::Text(Some(100)), crm_text(100), FitMode::Write);
    let tax = w.op(Type::Bool, |dst| Op::EnumToBool { dst, src: own[3] });
    let tax = w.fit(tax, Type::Bool, storage(None), FitMode::Write);
    let term = w.op(Type::Guid, |dst| Op::Find {
        dst,
        reference: 1,
        key: vec![company, own[4]],
    });
    w.program.outputs = Outputs {
        pair_key: vec![own[0], own[1]],
        record_key: vec![own[0], own[1]],
        company: Some(own[0]),
        own: own.iter().copied().map(Some).collect(),
        out: [company, group, description, tax, term].map(Some).to_vec(),
        ..Outputs::default()
    };
    w.program
}

pub(super) fn crm_program() -> Program {
    let mut w = Writer::new(vec![
        column(
            "msdyn_customergroupid",
            Type::Guid,
            Repr::Guid,
            storage(None),
        ),
        column(
            "_msdyn_company_value",
            Type::Guid,
            Repr::Guid,
            storage(None),
        ),
        column("msdyn_groupid", GROUP, Repr::Text, crm_text(10)),
        column(
            "msdyn_description",
            Type::Text(Some(100)),
            Repr::Text,
            crm_text(100),
        ),
        column(
            "msdyn_issalestaxincluded",
            Type::Bool,
            Repr::Bool,
            storage(None),
        ),
        column(
            "_msdyn_paymenttermid_value",
            Type::Guid,
            Repr::Guid,
            storage(None),
        ),
        column("modifiedon", Type::DateTime, Repr::DateTime, storage(None)),
    ]);
    let (group, description, tax) = (w.read(2), w.read(3), w.read(4));
    let follow = |w: &mut Writer, src, reference, part| {
        w.op(Type::Text(None), |dst| Op::Follow {
            dst,
            src,
            reference,
            part,
        })
    };
    let code = follow(&mut w, 1, 0, 0);
    let code = w.fit(code, CODE, erp_text(4, true), FitMode::Write);
    let out_group = w.fit(group, GROUP, erp_text(10, true), FitMode::Write);
    let out_description = w.fit(
        description,
        DESCRIPTION,
        erp_text(60, false),
        FitMode::Write,
    );
    let out_tax = w.op(no_yes_type(), |dst| Op::BoolToEnum { dst, src: tax });
    let out_tax = w.fit(out_tax, no_yes_type(), no_yes_storage(), FitMode::Write);
    let term = follow(&mut w, 5, 1, 1);
    let out_term = w.fit(term, GROUP, erp_text(10, false), FitMode::Write);
    w.program.outputs = Outputs {
        pair_key: vec![code, out_group],
        record_key: vec![0],
        company: Some(code),
        modified: Some(6),
        own: [1, group, description, tax, 5].map(Some).to_vec(),
        out: [code, out_group, out_description, out_tax, out_term]
            .map(Some)
            .to_vec(),
        ..Outputs::default()
    };
    w.program
}

fn column(name: &str, ty: Type, repr: Repr, storage: Storage) -> Column {
    Column {
        name: name.to_owned(),
        wire: name.to_owned(),
        ty,
        repr,
        storage,
        sensitive: false,
    }
}

/// Writes a program op by op.
struct Writer {
    program: Program,
}

impl Writer {
    fn new(columns: Vec<Column>) -> Self {
        let slots = columns.iter().map(|c| c.ty.clone()).collect();
        Self {
            program: Program {
                columns,
                slots,
                enums: vec![no_yes()],
                ..Program::default()
            },
        }
    }

    fn slot(&mut self, ty: Type) -> SlotId {
        self.program.slots.push(ty);
        (self.program.slots.len() - 1) as SlotId
    }

    fn op(&mut self, ty: Type, op: impl FnOnce(SlotId) -> Op) -> SlotId {
        let dst = self.slot(ty);
        self.program.ops.push(op(dst));
        dst
    }

    /// A storage form.
    fn fit(&mut self, src: SlotId, ty: Type, storage: Storage, mode: FitMode) -> SlotId {
        let fit = self.program.fits.len() as u16;
        self.program.fits.push(Fit {
            ty: ty.clone(),
            storage,
            overflow: Overflow::Reject,
            mode,
        });
        self.op(ty, |dst| Op::Fit { dst, src, fit })
    }

    /// A column in its own storage form.
    fn read(&mut self, at: SlotId) -> SlotId {
        let Column { ty, storage, .. } = self.program.columns[usize::from(at)].clone();
        self.fit(at, ty, storage, FitMode::Read)
    }
}
