//! One pass over a part of the tree, without recursion.

use dockerfile_source::TextRange;
use dockerfile_syntax::{Element, Node, SyntaxKind};

/// Calls `visit` for every element below a node that lies in or touches a range, in the order of the text, with the kind
/// of its parent.
pub(crate) fn walk<'t>(
    node: Node<'t>,
    range: TextRange,
    visit: &mut impl FnMut(Element<'t>, SyntaxKind),
) {
    let mut open: Vec<(Element<'t>, SyntaxKind)> = Vec::new();
    let push = |open: &mut Vec<(Element<'t>, SyntaxKind)>, node: Node<'t>| {
        let first = open.len();
        open.extend(
            node.children_with_tokens()
                .skip_while(|child| child.range().end() < range.start())
                .take_while(|child| child.range().start() <= range.end())
                .map(|child| (child, node.kind())),
        );
        if let Some(added) = open.get_mut(first..) {
            added.reverse();
        }
    };
    push(&mut open, node);
    while let Some((element, parent)) = open.pop() {
        visit(element, parent);
        if let Element::Node(node) = element {
            push(&mut open, node);
        }
    }
}
