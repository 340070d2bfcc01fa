use dockerfile_source::SourceFile;
use std::time::Instant;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let texts: Vec<String> = files
        .iter()
        .filter_map(|p| String::from_utf8(std::fs::read(p).unwrap()).ok())
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let mut long = String::new();
    for t in &texts {
        if t.contains("<<") || t.contains("escape=") {
            continue;
        }
        if long.len() > 2_000_000 {
            break;
        }
        long.push_str(t);
        long.push('\n');
    }
    for _ in 0..3 {
        let t = Instant::now();
        let p = dockerfile_syntax::parse(&long);
        let d = t.elapsed();
        let t2 = Instant::now();
        let m = dockerfile_model::Model::new(&p, &Default::default());
        let d2 = t2.elapsed();
        let src = SourceFile::new("x", long.clone());
        let o = dockerfile_lint::Options::default();
        let t3 = Instant::now();
        let f = dockerfile_lint::check_model(&src, &p, &m, &o);
        let d3 = t3.elapsed();
        println!(
            "long {} B: parse {:.1} MB/s, model {:.1} MB/s, rules {:.1} MB/s ({})",
            long.len(),
            long.len() as f64 / d.as_secs_f64() / 1e6,
            long.len() as f64 / d2.as_secs_f64() / 1e6,
            long.len() as f64 / d3.as_secs_f64() / 1e6,
            f.len()
        );
    }
    let mut parser = dockerfile_syntax::Parser::new();
    let t = Instant::now();
    let mut n = 0;
    for text in &texts {
        n += parser.parse(text).errors().len();
    }
    println!(
        "corpus parse {:?} {:.1} MB/s errors {n}",
        t.elapsed(),
        bytes as f64 / t.elapsed().as_secs_f64() / 1e6
    );
    let mut lint = dockerfile_lint::Lint::new();
    let o = dockerfile_lint::Options::default();
    let t = Instant::now();
    let mut n = 0;
    for text in &texts {
        n += lint.check(&SourceFile::new("x", text.clone()), &o).len();
    }
    println!(
        "corpus lint {:?} {:.1} MB/s findings {n}",
        t.elapsed(),
        bytes as f64 / t.elapsed().as_secs_f64() / 1e6
    );
}
