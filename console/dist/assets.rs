// Made by scripts/build-console.
[
    Asset {
        name: "console-JP4ZWVY3.css",
        media: "text/css; charset=utf-8",
        etag: "\"9ccf529a9f8f5579\"",
        is_hashed: true,
        bytes: include_bytes!("console-JP4ZWVY3.css"),
    },
    Asset {
        name: "console-SMT7C4K3.js",
        media: "text/javascript; charset=utf-8",
        etag: "\"5632bcb5d38c855a\"",
        is_hashed: true,
        bytes: include_bytes!("console-SMT7C4K3.js"),
    },
    Asset {
        name: "icon.svg",
        media: "image/svg+xml",
        etag: "\"2211d8d35067457c\"",
        is_hashed: false,
        bytes: include_bytes!("icon.svg"),
    },
    Asset {
        name: "index.html",
        media: "text/html; charset=utf-8",
        etag: "\"f10107ffefffe5e5\"",
        is_hashed: false,
        bytes: include_bytes!("index.html"),
    },
    Asset {
        name: "licences.txt",
        media: "text/plain; charset=utf-8",
        etag: "\"12db83e4ca09b215\"",
        is_hashed: false,
        bytes: include_bytes!("licences.txt"),
    },
]
