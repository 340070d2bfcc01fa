use std::time::Instant;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let texts: Vec<String> = files.iter().filter_map(|p| String::from_utf8(std::fs::read(p).unwrap()).ok()).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let mut parser = dockerfile_syntax::Parser::new();
    for _ in 0..10 {
        let t = Instant::now();
        let mut n = 0;
        for text in &texts { n += parser.parse(text).errors().len(); }
        println!("corpus parse {:?} {:.1} MB/s errors {n}", t.elapsed(), bytes as f64/t.elapsed().as_secs_f64()/1e6);
    }
}
