// Made by scripts/build-console.
[
    Asset {
        name: "console-MHNEXV5E.js",
        media: "text/javascript; charset=utf-8",
        is_hashed: true,
        plain: Coded { etag: "\"b436a0c9ed9ef68d\"", bytes: include_bytes!("console-MHNEXV5E.js") },
        gzip: Coded { etag: "\"b436a0c9ed9ef68d-gzip\"", bytes: include_bytes!("console-MHNEXV5E.js.gz") },
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
        plain: Coded { etag: "\"b810aa9de9041264\"", bytes: include_bytes!("index.html") },
        gzip: Coded { etag: "\"b810aa9de9041264-gzip\"", bytes: include_bytes!("index.html.gz") },
    },
    Asset {
        name: "licences.txt",
        media: "text/plain; charset=utf-8",
        is_hashed: false,
        plain: Coded { etag: "\"12db83e4ca09b215\"", bytes: include_bytes!("licences.txt") },
        gzip: Coded { etag: "\"12db83e4ca09b215-gzip\"", bytes: include_bytes!("licences.txt.gz") },
    },
]
