use v5.36;
use warnings FATAL => 'all';

# Request bodies in every form in which they may arrive: what is wanted comes through whole, what is not is refused as
# soon as that is known, and no byte ever lies in a file of the server's own.

use Caportal::Files qw(read_file write_file);
use Caportal::Sample qw(new_png);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw settled temporaries);
use Compress::Zlib qw(crc32);
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use Test::More;

use constant { LIMIT => 1024 * 1024, JSON_LIMIT => 32 * 1024 };

# The log also says how much of a request was read; one location has less time for uploads.
my $slow   = 'location = /api/orders/none/materials/licence { caportal_api applicant; caportal_upload_timeout 1s; }';
my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(\$request_time \$caportal_request_id)/$1 read=\$request_length/r
        =~ s|^(\s*location /api/ )|$slow$1|mr;
});
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $order   = '/api/orders/' . $journey->no;
my $scan    = "$order/materials/licence";

# Any file that the server makes for a body changes this.
my $bodies = $portal->home . '/data/web/body';
my $before = (stat $bodies)[9];
sleep 1;

# A PNG of exactly so many bytes: a chunk that means nothing fills it up.
sub png_of ($size) {
    my $png  = new_png();
    my $fill = "\0" x ($size - length($png) - 12);
    my $chunk = pack('N', length $fill) . "fiLl$fill" . pack 'N', crc32("fiLl$fill");
    return substr($png, 0, 33) . $chunk . substr $png, 33;
}

sub chunked ($bytes, $size) {
    my $text = '';
    for (my $at = 0; $at < length $bytes; $at += $size) {
        my $piece = substr $bytes, $at, $size;
        $text .= sprintf "%x\r\n%s\r\n", length $piece, $piece;
    }
    return "${text}0\r\n\r\n";
}

sub padded ($size) {
    my $json = '{"email":"agent@example.com"}';
    return $json . ' ' x ($size - length $json);
}

my @json   = ('Content-Type' => 'application/json');
my @png    = ('Content-Type' => 'image/png');
my @chunks = ('Transfer-Encoding' => 'chunked');

# What is stored, as it came.
sub evidence () { return $portal->staff('auditor')->get("/staff$scan/original")->body }

sub is_stored ($answer, $bytes, $title) {
    is $answer && $answer->{status}, 201, $title or return;
    is decode_json($answer->{body})->{sha256}, sha256_hex($bytes), 'every byte of it';
    is sha256_hex(evidence()), sha256_hex($bytes), 'and back';
    return;
}

subtest 'JSON' => sub {
    my $connection = raw($portal, $client);
    my $head = $connection->head(PATCH => $order, 'Content-Length' => JSON_LIMIT, @json);

    $connection->send_in_pieces($connection->json(PATCH => $order, {email => 'one@example.com'}));
    is $connection->answer->{status}, 200, 'byte by byte, its head too';
    like $client->get($order)->body, qr/one\@example\.com/, 'is what was sent';

    for my $size (1, 7, 4000) {
        $connection->send($connection->head(PATCH => $order, @chunks, @json));
        $connection->send_in_pieces(chunked(padded(200), $size), 3);
        is $connection->answer->{status}, 200, "in chunks of $size bytes";
    }

    is $connection->ask($head . padded(JSON_LIMIT))->{status}, 200, 'as long as it may be';
    is $connection->ask($connection->head(PATCH => $order, @chunks, @json)
            . chunked(padded(JSON_LIMIT), 999))->{status}, 200, 'the same in chunks';
    is $connection->ask($connection->whole(PATCH => $order, padded(JSON_LIMIT + 1), @json))->{status}, 413,
        'one byte more';
    is raw($portal, $client)->ask($connection->head(PATCH => $order, @chunks, @json)
            . chunked(padded(JSON_LIMIT + 1), 999))->{status}, 413, 'the same in chunks';
};

subtest 'uploads' => sub {
    my $largest    = png_of(LIMIT);
    my $small      = png_of(3000);
    my $connection = raw($portal, $client);

    $connection->send($connection->head(PUT => $scan, 'Content-Length' => length $small, @png));
    $connection->send_in_pieces($small);
    is_stored($connection->answer, $small, 'byte by byte');

    $connection->send($connection->head(PUT => $scan, @chunks, @png));
    $connection->send_in_pieces(chunked($small, 11), 5);
    is_stored($connection->answer, $small, 'in small chunks');

    is_stored($connection->ask($connection->whole(PUT => $scan, $largest, @png)), $largest, 'as large as it may be');
    is_stored($connection->ask($connection->head(PUT => $scan, @chunks, @png) . chunked($largest, 70_000)), $largest,
        'the same in chunks');

    is raw($portal, $client)->ask($connection->head(PUT => $scan, 'Content-Length' => LIMIT + 1, @png))->{status}, 413,
        'one byte more, refused before it is sent';
    is raw($portal, $client)->ask($connection->head(PUT => $scan, @chunks, @png)
            . chunked($largest . 'x', 70_000))->{status}, 413, 'one byte more in chunks';
    is sha256_hex(evidence()), sha256_hex($largest), 'what was there stays';
};

subtest 'wrong bytes are refused by the first of them' => sub {
    for my $size (12, 100, 60_000) {
        my $connection = raw($portal, $client);
        $connection->send($connection->head(PUT => $scan, 'Content-Length' => LIMIT, @png) . 'x' x $size);
        my $answer = $connection->answer(5);
        is $answer && $answer->{status}, 415, "after $size of ${\ LIMIT} bytes";
        is $answer && $answer->{headers}{connection}, 'close', 'and no more is taken on this connection';
    }
    my $connection = raw($portal, $client);
    $connection->send($connection->head(PUT => $scan, @chunks, @png) . "ffff\r\nGIF89a??????");
    is $connection->answer(5)->{status}, 415, 'in chunks';

    my $twice = raw($portal, $client)->ask($connection->head(PUT => $scan, @chunks, @png) . "14\r\n" . 'x' x 20 . 'zz');
    like $twice->{status}, qr/\A(?:400|415)\z/, 'wrong bytes and wrong framing behind: one answer';
    ok eventually(sub { !temporaries($portal) }, 2), 'nothing of them is kept';
};

# However fast the bytes come, little of them is read before the answer goes out.
subtest 'and nothing behind them is read' => sub {
    my $log  = $portal->home . '/log/access.log';
    my $seen = -s $log;
    my $connection = raw($portal, $client);
    $connection->send($connection->head(PUT => $scan, 'Content-Length' => LIMIT, @png) . 'x' x LIMIT);
    is $connection->answer(5)->{status}, 415, 'all at once';

    # The server lingers, and writes no line, while this end is open.
    undef $connection;
    my $read;
    ok eventually(sub { ($read) = substr(read_file($log), $seen) =~ /PUT .* 415 .* read=(\d+)$/m }), 'logged';
    cmp_ok $read, '<=', 65536, 'at most 64 KB';
};

subtest 'type and name' => sub {
    my $png = png_of(3000);
    my $ask = sub (@head) {
        my $connection = raw($portal, $client);
        return $connection->ask($connection->whole(PUT => $scan, $png, @head))->{status};
    };
    my $named = sub ($name) { ('Content-Disposition' => "attachment; $name") };

    is $ask->(@png, $named->($_)), 201, $_ for 'filename=licence', 'filename="licence.PNG"',
        "filename*=UTF-8''%E6%89%A7%E7%85%A7.png", "filename=licence.png; filename*=UTF-8''%E6%89%A7%E7%85%A7.png";
    is $ask->('Content-Type' => 'application/octet-stream', $named->('filename=licence.png')), 201, 'by its name alone';
    is $ask->($named->('filename=licence.png')), 201, 'without a type';

    is $ask->(@png, $named->($_)), 415, $_ for 'filename=licence.jpg', 'filename=licence.png.html',
        "filename=licence.png; filename*=UTF-8''licence.jpg", 'filename=licence.';
    is $ask->(@$_), 415, "@$_" for [], ['Content-Type' => 'application/octet-stream'], ['Content-Type' => 'image/webp'],
        ['Content-Type' => 'image/png, image/jpeg'], [@png, 'Content-Encoding' => 'gzip'];
    is $ask->(@png, $named->($_)), 400, $_
        for 'filename="licence.png', 'filename=a.png; filename=b.png', 'filename*0=a.png';

    my $connection = raw($portal, $client);
    my $head = $connection->head(PUT => $scan, 'Content-Length' => length $png, @png)
        =~ s/(Host:)/Content-Type: image\/jpeg\r\n$1/r;
    is $connection->ask($head . $png)->{status}, 400, 'two types';
};

# Of an order that is not there: the time is over before anybody asks.
subtest 'drop by drop' => sub {
    my $connection = raw($portal, $client);
    $connection->send($connection->head(PUT => '/api/orders/none/materials/licence', 'Content-Length' => 100_000, @png)
            . substr png_of(3000), 0, 40);
    my $end = time + 15;
    $connection->send('\0') while !$connection->readable(0.1) && time < $end;
    my $answer = $connection->answer;
    is $answer && $answer->{status}, 408, 'refused';
    is $answer && decode_json($answer->{body})->{code}, 'upload_too_slow', 'and told why';
    is $answer && $answer->{headers}{connection}, 'close', 'the connection is closed';
    ok eventually(sub { !temporaries($portal) }, 5), 'nothing of it is kept';
};

subtest 'no body, or one where none is asked for' => sub {
    my $connection = raw($portal, $client);
    is $connection->ask($connection->head(PUT => $scan, 'Content-Length' => 0, @png))->{status}, 422, 'an empty upload';
    is $connection->ask($connection->head(PUT => $scan, @png))->{status}, 422, 'no upload at all';
    is $connection->ask($connection->head(PATCH => $order, %$_, @json))->{status}, 200, 'no JSON changes nothing'
        for {}, {'Content-Length' => 0};
    is $connection->ask($connection->head(PATCH => $order, @chunks, @json) . "0\r\n\r\n")->{status}, 200,
        'no chunk but the last neither';

    is $connection->ask($connection->whole(GET => $order, 'x' x 5000))->{status}, 200, 'a body on GET is passed over';
    is $connection->ask($connection->head(GET => '/api/session', @chunks) . chunked('x' x 5000, 100))->{status}, 200,
        'in chunks too';
    is $connection->ask($connection->head(GET => $order))->{status}, 200, 'and the next request is understood';

    is raw($portal, $client)->ask($connection->head(GET => $order, 'Content-Length' => 1 << 30))->{status}, 413,
        'a huge one is not';
    is raw($portal, $client)->ask($connection->head(GET => $order, @chunks) . chunked('x' x 100_000, 5000))->{status},
        413, 'nor in chunks';
};

subtest 'Expect: 100-continue' => sub {
    my $png = png_of(50_000);
    my @expect = (Expect => '100-continue', @png);

    my $connection = raw($portal, $client);
    is $connection->ask($connection->head(PUT => $scan, 'Content-Length' => length $png, @expect))->{status}, 100,
        'go on';
    is_stored($connection->ask($png), $png, 'then the upload');

    is raw($portal, $client)->ask($connection->head(PUT => $scan, 'Content-Length' => LIMIT + 1, @expect))->{status},
        413, 'too large: refused, not invited';
    is raw($portal)->ask($connection->head(PUT => $scan, Cookie => undef, 'Content-Length' => 1000, @expect))->{status},
        401, 'nobody: refused, not invited';
    is raw($portal, $client)->ask($connection->head(PUT => $scan, 'Content-Length' => 1000, @expect, @$_))->{status},
        415, "@$_: refused, not invited"
        for ['Content-Type' => 'text/html'], ['Content-Disposition' => 'attachment; filename=licence.exe'];
};

subtest 'two requests in one piece' => sub {
    my $png = png_of(2000);
    my $connection = raw($portal, $client);
    $connection->send($connection->whole(PUT => $scan, $png, @png) . $connection->head(GET => '/api/session'));
    is $connection->answer->{status}, 201, 'the upload';
    is $connection->answer->{status}, 200, 'what came with it';
};

subtest 'what does not arrive whole' => sub {
    my $png = png_of(100_000);
    for my $sent (0, 5, 40_000, 99_999) {
        my $connection = raw($portal, $client);
        $connection->send($connection->head(PUT => $scan, 'Content-Length' => length $png, @png)
                . substr $png, 0, $sent);
        $sent % 2 ? $connection->reset : $connection->close;
    }
    is raw($portal, $client)->ask(raw($portal, $client)->head(PUT => $scan, 'Transfer-Encoding' => 'chunked',
        'Content-Length' => 10, @png))->{status}, 400, 'two lengths';
    is raw($portal, $client)->ask(raw($portal, $client)->head(PUT => $scan, @chunks, @png) . "zz\r\n")->{status}, 400,
        'a length that is none';
};

# HTTP/2 takes bodies by another way.
sub http2 ($method, $path, $bytes, $type, @more) {
    my $file = write_file($portal->home . '/body', $bytes);
    my @command = ('curl', '-sS', '--http2', '--cacert', $portal->addresses->{server_ca}, '-X', $method,
        '-H', "Origin: $portal->{addresses}{portal}", '-H', "Content-Type: $type", '-H', 'Expect:',
        '-b', '__Host-caportal=' . $client->cookie, '-o', '/dev/null', '-w', '%{http_version} %{http_code}', '-m', 20,
        @more, "$portal->{addresses}{portal}$path");
    open my $output, '-|', 'sh', '-c', 'file=$1; shift; exec "$@" <"$file"', 'sh', $file, @command or die;
    return scalar <$output>;
}

subtest 'HTTP/2' => sub {
    my $largest = png_of(LIMIT);
    my @known   = ('--data-binary', '@' . $portal->home . '/body');
    my @stream  = ('-T', '-');

    is http2(PUT => $scan, $largest, 'image/png', @known), '2 201', 'an upload of known length';
    is sha256_hex(evidence()), sha256_hex($largest), 'every byte of it';
    is http2(PUT => $scan, png_of(LIMIT - 5), 'image/png', @stream), '2 201', 'of unknown length';
    is http2(PUT => $scan, "${largest}x", 'image/png', @known), '2 413', 'one byte too many';
    is http2(PUT => $scan, "${largest}x", 'image/png', @stream), '2 413', 'the same of unknown length';
    is http2(PUT => $scan, 'x' x LIMIT, 'image/png', @stream), '2 415', 'wrong bytes';
    is http2(PUT => $scan, '', 'image/png', @known), '2 422', 'an empty upload';

    my ($sent) = http2(PUT => $scan, 'x' x LIMIT, 'image/png', @known, '--limit-rate', '40k', '-w', '%{size_upload}');
    cmp_ok $sent, '<=', 65536, 'wrong bytes from somebody slow: most of them are never sent';
    is http2(PATCH => $order, padded(JSON_LIMIT), 'application/json', @stream), '2 200', 'JSON';
    is http2(PATCH => $order, padded(JSON_LIMIT + 1), 'application/json', @stream), '2 413', 'too much of it';
    is http2(GET => $order, 'x' x 5000, 'text/plain', @stream), '2 200', 'a body on GET';
    is http2(GET => $order, 'x' x 100_000, 'text/plain', @stream), '2 413', 'a huge one';
};

is((stat $bodies)[9], $before, "no body was written to a file of the server's");
settled($portal);

done_testing;
