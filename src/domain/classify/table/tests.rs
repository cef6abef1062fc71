//! The columns of the table of classes agree with one another and with the rules.

use super::super::ClassSet;
use super::*;

#[test]
fn every_constant_points_at_its_own_row() {
    const { assert!(Class::COUNT <= ClassSet::PLACES) };
    for class in Class::all() {
        assert!(ClassSet::EMPTY.with(class).contains(class) && ClassSet::EMPTY.with(class).iter().eq([class]), "{class}");
    }
    for (class, id) in [(Class::N01, "N01"), (Class::N00, "N00"), (Class::P17, "P17"), (Class::P00, "P00"), (Class::S02, "S02")] {
        assert_eq!(class.id(), id);
    }
    for class in Class::all() {
        assert_eq!(Class::parse(class.id()), Some(class));
    }
}

#[test]
fn the_table_is_in_the_order_of_the_rules() {
    let order = "N01 N04 N03 N02 N12 N13 N09 N08 N07 N06 N00 N05 N10 N11 \
                 P17 P16 P15 P01 P02 P06 P12 P08 P07 P10 P03 P04 P11 P18 P09 P19 P13 P14 P05 P00 late_evidence conflicting varied \
                 L06 L11 L12 L00 L04 L05 L03 L02 L01 L07 L08 L09 L10 L13 L14 \
                 S10 S11 S12 S07 S14 S06 S13 S01 S03 S05 S04 S09 S08 S00 S02 I03 I04 I02 I00 I01 B01 B02 B03 B04 B05";
    let ids: Vec<_> = Class::all().map(Class::id).collect();
    assert_eq!(ids, order.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn the_columns_of_a_class_agree_with_one_another() {
    for class in Class::all() {
        let info = class.info();
        let is_of = |families: &[Family]| families.contains(&info.family);
        let may_wait = info.nature != Nature::Ok;
        // What needs somebody has somebody; L01 is collected, though nobody has to yet, and S08 needs nobody.
        assert_eq!(info.owner != Owner::Nobody, may_wait && class != Class::S08 && class != Class::CONFLICTING, "{class}: owner");
        assert_eq!(info.stands == Stands::Remark, info.owner == Owner::Nobody, "{class}: what nobody acts on is a remark");
        assert_eq!(info.ages == AgesFrom::Never, info.stands == Stands::Remark, "{class}: what is open ages");
        assert_eq!(info.ages == AgesFrom::Due, info.stands == Stands::Receivable, "{class}: debts age from their due day");
        assert_eq!(info.money == ClassMoney::Nothing, !is_of(&[Family::Line, Family::Payment]), "{class}: money");
        assert!(info.flag == Flag::Marks || info.family != Family::Flag || info.nature == Nature::Break, "{class}: flag");
        assert!(info.flag != Flag::Never || info.family != Family::Flag, "{class}: a flag may be one");
        assert!(info.flag != Flag::Raises || info.severity == Severity::Critical, "{class}: what raises is critical");
        assert!(!class.is_held() || info.stands == Stands::Suspense, "{class}: held money is in suspense");
        assert!(!class.attaches() || info.money != ClassMoney::Unowned, "{class}");
    }
}

#[test]
fn payments_attach_are_held_or_are_no_money_of_the_period_as_the_rules_say() {
    let of = |is: fn(Class) -> bool| Class::all().filter(|class| is(*class)).map(Class::id).collect::<Vec<_>>().join(" ");
    assert_eq!(of(Class::attaches), "P06 P12 P08 P07 P10 P03 P04 P11 P18 P09 P19 P13 P14 P05 P00");
    assert_eq!(of(Class::is_held), "P15 P01 P02 P06 P12 P08 P07");
    assert_eq!(
        of(|class| class.info().money.is_of_the_period()),
        "P15 P01 P02 P06 P12 P08 P07 P10 P03 P04 P11 P18 P09 P19 P13 P14 P05 P00"
    );
}

#[test]
fn only_breaks_have_a_severity_and_all_of_them_have_one() {
    for class in Class::all() {
        let info = class.info();
        match info.nature {
            Nature::Break => assert!(info.severity > Severity::None, "{class}"),
            Nature::Ok => assert_eq!(info.severity, Severity::None, "{class}"),
            Nature::Timing => {}
        }
    }
}
