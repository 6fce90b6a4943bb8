//! The grammar of `$filter`, as far as each service has it.
//!
//! Source: *OData Version 4.01, Part 2*, 5.1.1; for what each service lacks: "Filter rows using OData" (Dataverse: no
//! `in`, no arithmetic) and "Open Data Protocol" (Finance & Operations: no `in`, no `has`, no text functions).

use dwmap_odata::Literal;

use super::{Arithmetic, Expr, Op, Operand, Refused, TextTest};
use crate::model::Service;

/// How deep conditions may nest.
const DEPTH_MAX: usize = 64;
const CRM: &str = "Microsoft.Dynamics.CRM.";

/// Parses a filter.
pub(crate) fn parse(service: Service, text: &str) -> Result<Expr, Refused> {
    let mut parser = Parser {
        service,
        text,
        at: 0,
        depth: 0,
    };
    let expr = parser.or()?;
    parser.blanks();
    if parser.at < text.len() {
        return Err(parser.syntax());
    }
    Ok(expr)
}

struct Parser<'a> {
    service: Service,
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn syntax(&self) -> Refused {
        Refused(format!(
            "Syntax error at position {} in '{}'.",
            self.at, self.text
        ))
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes a symbol, blanks before it ignored.
    fn takes(&mut self, symbol: char) -> bool {
        self.blanks();
        let taken = self.rest().starts_with(symbol);
        self.at += if taken { symbol.len_utf8() } else { 0 };
        taken
    }

    fn expects(&mut self, symbol: char) -> Result<(), Refused> {
        if self.takes(symbol) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    fn peek_word(&mut self) -> &'a str {
        self.blanks();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '@')))
            .unwrap_or(rest.len());
        &rest[..end]
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let taken = self.peek_word() == word;
        self.at += if taken { word.len() } else { 0 };
        taken
    }

    fn or(&mut self) -> Result<Expr, Refused> {
        let mut left = self.and()?;
        while self.takes_word("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Refused> {
        let mut left = self.unary()?;
        while self.takes_word("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Refused> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refused(format!(
                "The node count limit of '{DEPTH_MAX}' nested conditions has been exceeded."
            )));
        }
        let expr = self.primary();
        self.depth -= 1;
        expr
    }

    fn primary(&mut self) -> Result<Expr, Refused> {
        if self.takes_word("not") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        self.blanks();
        if self.rest().starts_with('(') {
            // Either a condition in parentheses, or a sum: `(a add b) gt 3`.
            let start = self.at;
            self.at += 1;
            let grouped = self.or().and_then(|expr| self.expects(')').map(|()| expr));
            match grouped {
                Ok(expr) => return Ok(expr),
                Err(refused) if self.service == Service::Dataverse => return Err(refused),
                Err(_) => self.at = start,
            }
        }
        let word = self.peek_word();
        if self.rest()[word.len()..].starts_with('(') && !word.is_empty() {
            return self.function(word);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, Refused> {
        let left = self.operand()?;
        let op = match self.peek_word() {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "gt" => Op::Gt,
            "ge" => Op::Ge,
            "lt" => Op::Lt,
            "le" => Op::Le,
            other @ ("in" | "has") => {
                return Err(Refused(format!("The operator '{other}' is not supported.")));
            }
            _ => return Err(self.syntax()),
        };
        self.at += 2;
        Ok(Expr::Compare(op, left, self.operand()?))
    }

    fn function(&mut self, name: &str) -> Result<Expr, Refused> {
        let test = match name {
            "contains" => TextTest::Contains,
            "startswith" => TextTest::StartsWith,
            "endswith" => TextTest::EndsWith,
            _ => return self.crm_function(name),
        };
        if self.service == Service::Finops {
            return Err(Refused(format!(
                "The function '{name}' is not supported; use eq with the wildcard '*'."
            )));
        }
        self.at += name.len();
        self.expects('(')?;
        let left = self.operand()?;
        self.expects(',')?;
        let right = self.operand()?;
        self.expects(')')?;
        Ok(Expr::Text(test, left, right))
    }

    /// `Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=['a','b'])`, and `NotIn`.
    fn crm_function(&mut self, name: &str) -> Result<Expr, Refused> {
        let unknown = || {
            Refused(format!(
                "An unknown function with name '{name}' was found. This may also be a function import or a key lookup on a navigation property, which is not allowed."
            ))
        };
        if self.service == Service::Finops {
            return Err(unknown());
        }
        let negated = match name.strip_prefix(CRM) {
            Some("In") => false,
            Some("NotIn") => true,
            _ => return Err(unknown()),
        };
        self.at += name.len();
        self.expects('(')?;
        let path = match self.argument("PropertyName")? {
            Literal::Text(name) => name.split('/').map(str::to_owned).collect(),
            _ => return Err(self.syntax()),
        };
        self.expects(',')?;
        if !self.takes_word("PropertyValues") || !self.takes('=') || !self.takes('[') {
            return Err(self.syntax());
        }
        let mut values = Vec::new();
        while !self.takes(']') {
            if !values.is_empty() {
                self.expects(',')?;
            }
            values.push(self.literal()?);
        }
        self.expects(')')?;
        let expr = Expr::In(path, values);
        Ok(if negated {
            Expr::Not(Box::new(expr))
        } else {
            expr
        })
    }

    fn argument(&mut self, name: &str) -> Result<Literal<'static>, Refused> {
        if !self.takes_word(name) || !self.takes('=') {
            return Err(self.syntax());
        }
        self.literal()
    }

    fn literal(&mut self) -> Result<Literal<'static>, Refused> {
        self.blanks();
        let (literal, taken) = Literal::read(self.rest()).ok_or_else(|| self.syntax())?;
        let literal = literal.into_owned();
        self.at += taken;
        Ok(literal)
    }

    /// A term, or a sum or product of terms from left to right.
    fn operand(&mut self) -> Result<Operand, Refused> {
        let mut left = self.product()?;
        while let Some(op) =
            self.arithmetic(&[("add", Arithmetic::Add), ("sub", Arithmetic::Sub)])?
        {
            left = Operand::Arithmetic(Box::new(left), op, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Operand, Refused> {
        let mut left = self.term()?;
        while let Some(op) = self.arithmetic(&[
            ("mul", Arithmetic::Mul),
            ("div", Arithmetic::Div),
            ("mod", Arithmetic::Mod),
        ])? {
            left = Operand::Arithmetic(Box::new(left), op, Box::new(self.term()?));
        }
        Ok(left)
    }

    fn arithmetic(&mut self, ops: &[(&str, Arithmetic)]) -> Result<Option<Arithmetic>, Refused> {
        let word = self.peek_word();
        let Some((_, op)) = ops.iter().find(|(name, _)| *name == word) else {
            return Ok(None);
        };
        if self.service == Service::Dataverse {
            return Err(Refused(format!("The operator '{word}' is not supported.")));
        }
        self.at += word.len();
        Ok(Some(*op))
    }

    fn term(&mut self) -> Result<Operand, Refused> {
        self.blanks();
        if self.rest().starts_with('(') {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(self.syntax());
            }
            self.at += 1;
            let inner = self.operand()?;
            self.depth -= 1;
            self.expects(')')?;
            return Ok(inner);
        }
        if let Some((literal, taken)) = Literal::read(self.rest()) {
            let literal = literal.into_owned();
            self.at += taken;
            return Ok(Operand::Literal(literal));
        }
        let mut path = Vec::new();
        loop {
            let word = self.peek_word();
            if word.is_empty() {
                return Err(self.syntax());
            }
            self.at += word.len();
            path.push(word.to_owned());
            if !self.rest().starts_with('/') {
                return Ok(Operand::Path(path));
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(name: &str) -> Operand {
        Operand::Path(vec![name.to_owned()])
    }

    #[test]
    fn and_binds_closer_than_or() {
        let one = |n| {
            Box::new(Expr::Compare(
                Op::Eq,
                path("a"),
                Operand::Literal(Literal::Int(n)),
            ))
        };
        let wanted = Expr::Or(
            one(1),
            Box::new(Expr::And(one(2), Box::new(Expr::Not(one(3))))),
        );
        assert_eq!(
            parse(Service::Dataverse, "a eq 1 or a eq 2 and not (a eq 3)"),
            Ok(wanted)
        );
    }

    #[test]
    fn each_service_has_its_own_operators() {
        assert!(parse(Service::Finops, "(a add 1) mul 2 gt 3").is_ok());
        assert!(parse(Service::Dataverse, "a add 1 gt 3").is_err());
        assert!(parse(Service::Dataverse, "contains(a,'x')").is_ok());
        assert!(parse(Service::Finops, "contains(a,'x')").is_err());
        for service in [Service::Dataverse, Service::Finops] {
            assert!(parse(service, "a in ('x','y')").is_err());
        }
        assert!(
            parse(
                Service::Dataverse,
                "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=['x','y'])"
            )
            .is_ok()
        );
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in any::<String>()) {
            let _ = parse(Service::Dataverse, &text);
        }

        #[test]
        fn text_of_its_own_words_is_parsed_or_refused(text in "([(),/'a]| eq | and | not | in |contains|1|-| add ){0,40}") {
            let _ = parse(Service::Finops, &text);
        }
    }
}
