// Made by scripts/build-console.
[
    Asset {
        name: "console-QQHWTE33.js",
        media: "text/javascript; charset=utf-8",
        is_hashed: true,
        plain: Coded { etag: "\"ae344855eaa49017\"", bytes: include_bytes!("console-QQHWTE33.js") },
        gzip: Coded { etag: "\"ae344855eaa49017-gzip\"", bytes: include_bytes!("console-QQHWTE33.js.gz") },
    },
    Asset {
        name: "console-VZWC732J.css",
        media: "text/css; charset=utf-8",
        is_hashed: true,
        plain: Coded { etag: "\"c48d29889d504475\"", bytes: include_bytes!("console-VZWC732J.css") },
        gzip: Coded { etag: "\"c48d29889d504475-gzip\"", bytes: include_bytes!("console-VZWC732J.css.gz") },
    },
    Asset {
        name: "icon.svg",
        media: "image/svg+xml",
        is_hashed: false,
        plain: Coded { etag: "\"2211d8d35067457c\"", bytes: include_bytes!("icon.svg") },
        gzip: Coded { etag: "\"2211d8d35067457c-gzip\"", bytes: include_bytes!("icon.svg.gz") },
    },
    Asset {
        name: "index.html",
        media: "text/html; charset=utf-8",
        is_hashed: false,
        plain: Coded { etag: "\"be6022e8387b5e22\"", bytes: include_bytes!("index.html") },
        gzip: Coded { etag: "\"be6022e8387b5e22-gzip\"", bytes: include_bytes!("index.html.gz") },
    },
    Asset {
        name: "licences.txt",
        media: "text/plain; charset=utf-8",
        is_hashed: false,
        plain: Coded { etag: "\"12db83e4ca09b215\"", bytes: include_bytes!("licences.txt") },
        gzip: Coded { etag: "\"12db83e4ca09b215-gzip\"", bytes: include_bytes!("licences.txt.gz") },
    },
]
