// upload_node.js PORT FOLDER MODULES: the file of a form as one takes it with Node and busboy: its first bytes tell the
// format, it is hashed with SHA-256 on its way into a file, which is synced and renamed before the answer.
'use strict';
const {createHash} = require('node:crypto');
const {close, createWriteStream, fdatasync, rename} = require('node:fs');
const {createServer} = require('node:http');

const [port, folder, modules] = process.argv.slice(2);
const busboy = require(`${modules}/busboy`);
let number = 0;

function take(stream, request, response) {
    const name = `${folder}/node-${number++}`;
    const hash = createHash('sha256');
    const file = createWriteStream(`${name}.tmp`, {autoClose: false});
    let first = true;

    stream.on('data', bytes => {
        if (first && bytes.readUInt16BE(0) !== 0xffd8) {
            response.writeHead(415).end();
            request.destroy();
            return;
        }
        first = false;
        hash.update(bytes);
        if (!file.write(bytes)) {
            stream.pause();
            file.once('drain', () => stream.resume());
        }
    });
    stream.on('end', () => file.end());
    file.on('finish', () => fdatasync(file.fd, () => close(file.fd, () => rename(`${name}.tmp`, name, () => {
        response.writeHead(201, {'Content-Type': 'application/json'});
        response.end(JSON.stringify({sha256: hash.digest('hex')}));
    }))));
}

createServer((request, response) => {
    const form = busboy({headers: request.headers});
    form.on('file', (field, stream) => take(stream, request, response));
    request.pipe(form);
}).listen({port: Number(port), host: '127.0.0.1'}, () => console.log('ready'));
