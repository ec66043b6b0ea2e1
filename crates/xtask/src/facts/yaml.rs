//! YAML as a graph: an alias is the node that it names, so that a cycle is a cycle and not an error.

use std::borrow::Cow;

use anyhow::{Context, Result, bail, ensure};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// A document. Nodes are named by their place in it.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    root: usize,
}

/// What a node holds; the numbers name other nodes.
#[derive(Debug)]
enum Node {
    Scalar { text: String, plain: bool },
    Sequence(Vec<usize>),
    Mapping(Vec<(String, usize)>),
}

/// One node, with its document at hand.
#[derive(Clone, Copy, Debug)]
pub struct Yaml<'a> {
    graph: &'a Graph,
    node: usize,
}

impl Graph {
    /// Reads the one document of `text`. Keys of mappings are scalars, and none stands twice.
    pub fn parse(text: &str) -> Result<Graph> {
        let mut reader = Reader { graph: Graph::default(), anchors: Vec::new(), open: Vec::new() };
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event?;
            documents += usize::from(matches!(event, Event::DocumentStart(_)));
            reader.take(event).with_context(|| format!("at line {}", span.start.line()))?;
        }
        ensure!(documents == 1, "{documents} documents, where one is expected");
        Ok(reader.graph)
    }

    /// The outermost node.
    pub fn root(&self) -> Yaml<'_> {
        Yaml { graph: self, node: self.root }
    }
}

impl<'a> Yaml<'a> {
    /// Two aliases of one anchor have the same identity.
    pub fn identity(self) -> usize {
        self.node
    }

    /// The text of a scalar, however it is quoted.
    pub fn text(self) -> Result<&'a str> {
        match &self.graph.nodes[self.node] {
            Node::Scalar { text, .. } => Ok(text),
            _ => bail!("a text is expected"),
        }
    }

    /// Whether it is a scalar without quotes, which may stand for a number or a truth value.
    pub fn is_plain(self) -> bool {
        matches!(self.graph.nodes[self.node], Node::Scalar { plain: true, .. })
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Result<bool> {
        match self.text()? {
            "true" if self.is_plain() => Ok(true),
            "false" if self.is_plain() => Ok(false),
            other => bail!("{other:?} is neither true nor false"),
        }
    }

    /// The items of a sequence.
    pub fn items(self) -> Result<impl ExactSizeIterator<Item = Yaml<'a>>> {
        let graph = self.graph;
        match &graph.nodes[self.node] {
            Node::Sequence(items) => Ok(items.iter().map(move |&node| Yaml { graph, node })),
            _ => bail!("a sequence is expected"),
        }
    }

    /// The pairs of a mapping, in their order.
    pub fn pairs(self) -> Result<impl Iterator<Item = (&'a str, Yaml<'a>)>> {
        let graph = self.graph;
        match &graph.nodes[self.node] {
            Node::Mapping(pairs) => {
                Ok(pairs.iter().map(move |(key, node)| (key.as_str(), Yaml { graph, node: *node })))
            }
            _ => bail!("a mapping is expected"),
        }
    }

    /// The texts of a sequence.
    pub fn texts(self) -> Result<Vec<String>> {
        self.items()?.map(|item| item.text().map(str::to_owned)).collect()
    }
}

/// What was opened and not yet closed.
struct Open {
    node: usize,
    key: Option<String>,
}

struct Reader {
    graph: Graph,
    anchors: Vec<(usize, usize)>,
    open: Vec<Open>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<()> {
        match event {
            Event::Scalar(text, style, anchor, _) => self.scalar(text, style, anchor),
            Event::SequenceStart(anchor, _) => self.start(Node::Sequence(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.start(Node::Mapping(Vec::new()), anchor),
            Event::Alias(anchor) => {
                let found = self.anchors.iter().rev().find(|(id, _)| *id == anchor);
                let (_, node) = *found.context("an alias of nothing")?;
                self.place(node)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, anchor: usize) -> Result<()> {
        if let Some(open) = self.open.last_mut()
            && open.key.is_none()
            && let Node::Mapping(pairs) = &self.graph.nodes[open.node]
        {
            ensure!(pairs.iter().all(|(key, _)| *key != text), "the key {text} stands twice");
            open.key = Some(text.into_owned());
            return Ok(());
        }
        let node =
            self.add(Node::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }, anchor);
        self.place(node)
    }

    fn start(&mut self, node: Node, anchor: usize) -> Result<()> {
        let node = self.add(node, anchor);
        self.place(node)?;
        self.open.push(Open { node, key: None });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> usize {
        self.graph.nodes.push(node);
        let node = self.graph.nodes.len() - 1;
        if anchor > 0 {
            self.anchors.push((anchor, node));
        }
        node
    }

    fn place(&mut self, node: usize) -> Result<()> {
        let Some(open) = self.open.last_mut() else {
            self.graph.root = node;
            return Ok(());
        };
        match &mut self.graph.nodes[open.node] {
            Node::Sequence(items) => items.push(node),
            Node::Mapping(pairs) => {
                pairs.push((open.key.take().context("a key that is not a text")?, node));
            }
            Node::Scalar { .. } => bail!("a scalar holds nothing"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(yaml: Yaml<'a>, key: &str) -> Yaml<'a> {
        yaml.pairs().unwrap().find(|(name, _)| *name == key).unwrap().1
    }

    #[test]
    fn a_cycle_is_followed_and_not_expanded() {
        let graph = Graph::parse("list: &a\n- name: one\n  more: *a\n").unwrap();
        let list = at(graph.root(), "list");
        let again = at(list.items().unwrap().next().unwrap(), "more");
        assert_eq!(again.identity(), list.identity());
        assert_eq!(at(again.items().unwrap().next().unwrap(), "name").text().unwrap(), "one");
    }

    #[test]
    fn quotes_make_a_text_of_a_number() {
        let graph = Graph::parse("a: '4.0'\nb: 4.0\nc: true\nd: 'true'\n").unwrap();
        assert!(!at(graph.root(), "a").is_plain() && at(graph.root(), "b").is_plain());
        assert!(at(graph.root(), "c").boolean().unwrap());
        assert!(at(graph.root(), "d").boolean().is_err());
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        assert!(Graph::parse("a: 1\na: 2\n").is_err());
        assert!(Graph::parse("a: *nowhere\n").is_err());
        assert!(Graph::parse("a: 1\n---\nb: 2\n").is_err());
    }
}
