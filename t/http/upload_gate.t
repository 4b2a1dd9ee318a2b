use v5.36;
use utf8;
use warnings FATAL => 'all';

# conf/upload-gate.conf as it is shipped: uploads inspected in front of an application that has nothing to do with the
# portal, which hears of none that is not whole and good.

use Caportal::Files qw(capture folder read_file write_file);
use Caportal::Process;
use Caportal::Raw;
use Caportal::Sample qw(new_bmp new_jpeg new_png);
use Caportal::Test;
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Edge qw(eventually);
use Caportal::Test::Form qw(file_part form form_type part);
use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use IO::Socket::IP;
use JSON::PP qw(decode_json);
use Test::More;

my $root   = abs_path(dirname(__FILE__) . '/../..');
my $build  = $ENV{CAPORTAL_BUILD} // "$root/build";
my $shared = Caportal::Test->shared;
my $home   = folder($shared->folder_name . "/gate-$$", 0755);
my $port   = $shared->port;
my $ca     = $shared->authority->file('server-ca.pem');
my $nginx  = $ENV{CAPORTAL_NGINX} // 'nginx';

folder("$home/$_") for qw(run log web web/body web/proxy);

# ---- the application: it writes a line for each request that it hears, "method path digest of the body"

my $app = fork // die;
if (!$app) {
    local $SIG{PIPE} = 'IGNORE';
    my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $port + 1, Listen => 16, ReuseAddr => 1)
        or die;
    open my $heard, '>', "$home/heard" or die;
    $heard->autoflush;
    while (my $peer = $listener->accept) {
        my $in = '';
        while ($in !~ /\r\n\r\n/) { $peer->sysread($in, 65536, length $in) or last }
        next if $in !~ /\r\n\r\n/;
        my ($head, $body) = split /\r\n\r\n/, $in, 2;
        my ($length) = $head =~ /^Content-Length: (\d+)/mi;
        while (length $body < ($length // 0)) { $peer->sysread($body, 65536, length $body) or last }
        my ($method, $path) = $head =~ /\A(\S+) (\S+)/;
        say {$heard} "$method $path ", sha256_hex($body);
        if ($path =~ /elsewhere/) {
            print $peer "HTTP/1.0 200 OK\r\nX-Accel-Redirect: /upload/photos/redirected\r\n\r\n";
        } else {
            print $peer "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
        }
        close $peer;
    }
    exit;
}

# ---- the server: the shipped file with folders, ports and TLS of this test

my $server = Caportal::Process->new(name => 'gate', run => "$home/run", log => "$home/log");
my $text   = read_file("$root/conf/upload-gate.conf");
my $tls    = join '', map { "ssl_certificate$_->[0] " . $shared->authority->file("server.$_->[1]") . ";\n" }
    ['', 'pem'], ['_key', 'key'];

my $pass = "proxy_pass http://127.0.0.1:@{[ $port + 1 ]};";
$text =~ s{/usr/lib/nginx/modules/}{$build/};
$text =~ s{^user .*}{user root;}m;
$text =~ s{/var/lib/caportal/}{$home/}g;
$text =~ s{/(?:var/)?(log|run)/caportal/}{$home/$1/}g;
$text =~ s{listen 8080;}{listen 127.0.0.1:$port ssl http2;\n$tls};
$text =~ s{127\.0\.0\.1:9000}{127.0.0.1:@{[ $port + 1 ]}}g;
$text =~ s{(location /upload/photos/)}{
    location /upload/slow/ { caportal_upload_check on; caportal_upload_timeout 1s; $pass }
    location /upload/memory/ { caportal_upload_check on; client_body_buffer_size 1m; $pass }
    $1};
$text =~ s/^load_module .*\n//m if $ENV{CAPORTAL_NGINX} && capture($nginx, '-V') =~ /--add-module=/;
write_file("$home/gate.conf", $text);

my @command = ($nginx, '-c', "$home/gate.conf", '-e', "$home/log/error.log");
like capture(@command, '-t'), qr/test is successful/, 'the shipped configuration is in order';
$server->start([@command, '-g', 'daemon off;']);
$server->wait_until(30, sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $_) }) for $port, $port + 1;

END {
    my $status = $?;
    $server->stop if $server;
    kill TERM => $app if $app;
    $? = $status;
}

sub raw () { return Caportal::Raw->new(port => $port, ca => $ca) }
sub heard () { return grep {/\S/} split /^/, -e "$home/heard" ? read_file("$home/heard") : '' }

sub ask ($method, $path, $body, $type, @more) {
    my $connection = raw();
    my @type = defined $type ? ('Content-Type' => $type) : ();
    return $connection->ask($connection->whole($method, $path, $body, @type, @more));
}

# The application gets exactly these bytes.
sub passes ($title, $method, $path, $body, $type, @more) {
    my $before = heard();
    my $answer = ask($method, $path, $body, $type, @more);
    is $answer && $answer->{status}, 200, $title or return diag $answer && $answer->{body};
    my @now = heard();
    is @now - $before, 1, 'the application heard of it once';
    is $now[-1], "$method $path " . sha256_hex($body) . "\n", 'with every byte';
    return;
}

# Refused by a problem document, and the application heard nothing.
sub refused ($answer, $status, $code, $title) {
    is $answer && $answer->{status}, $status, $title or return;
    like $answer->{headers}{'content-type'}, qr{\Aapplication/problem\+json}, '... by a problem document';
    my $problem = decode_json($answer->{body});
    is $problem->{code}, $code, "... $code";
    return $problem;
}

my $png  = new_png();
my @png  = ('Content-Type' => 'image/png');
my $jpeg = new_jpeg();
my $big  = new_jpeg(640, 480) . "\0" x 300_000;

subtest 'good ones are passed on' => sub {
    passes('a picture', PUT => '/upload/a', $png, 'image/png');
    passes('with a name', POST => '/upload/a', $jpeg, 'image/jpeg',
        'Content-Disposition' => 'attachment; filename=a.jpg');
    passes('one that waits in a file', PUT => '/upload/a', $big, 'image/jpeg');
    passes('one that waits in memory', PUT => '/upload/memory/a', $big, 'image/jpeg');
    passes('a form', POST => '/upload/a', form(part('title', "\xe6\x89\xa7\xe7\x85\xa7"), file_part($png),
        file_part($jpeg, 'image/jpeg', 'b.jpg', 'second'), file_part('', 'application/octet-stream', '', 'none')),
        form_type());
    passes('a form without a file', POST => '/upload/a', form(part('title', 'x')), form_type());
    passes('no body', GET => '/upload/a', '', undef);
    passes('no body to delete', DELETE => '/upload/a', '', undef);
    passes('what is not checked', POST => '/other', 'x' x 1000, 'text/plain');

    for my $size (1, 100) {
        my $connection = raw();
        $connection->send($connection->head(PUT => '/upload/a', 'Content-Length' => length $png, @png));
        $connection->send_in_pieces($png, $size);
        is $connection->answer->{status}, 200, "in pieces of $size";
        is((heard())[-1], 'PUT /upload/a ' . sha256_hex($png) . "\n", 'with every byte');
    }
    my $connection = raw();
    $connection->send($connection->head(PUT => '/upload/a', 'Transfer-Encoding' => 'chunked',
        'Content-Type' => 'image/jpeg'));
    $connection->send(join('', map { sprintf "%x\r\n%s\r\n", length, $_ } $big =~ /(.{1,7000})/gs) . "0\r\n\r\n");
    is $connection->answer->{status}, 200, 'in chunks';
    is((heard())[-1], 'PUT /upload/a ' . sha256_hex($big) . "\n", 'with every byte');
};

subtest 'bad ones are not' => sub {
    my $before = heard();
    my $half   = substr $png, 0, -12;

    refused(ask(PUT => '/upload/a', $png, $_), 415, 'unsupported_media_type', $_ // 'no type')
        for 'image/jpeg', 'image/gif', 'text/html', 'application/json', undef;
    refused(ask(PUT => '/upload/a', new_bmp(), 'image/bmp'), 415, 'unsupported_media_type', 'a type not listed');
    refused(ask(PUT => '/upload/photos/a', $png, 'image/png'), 415, 'unsupported_media_type',
        'nor in the inner location');
    refused(ask(PUT => '/upload/a', $png, 'image/png', 'Content-Disposition' => 'attachment; filename=a.svg'), 415,
        'unsupported_media_type', 'another ending');
    refused(ask(PUT => '/upload/a', $png, 'image/png', 'Content-Encoding' => 'gzip'), 415, 'unsupported_media_type',
        'an encoding that hides it');
    is refused(ask(PUT => '/upload/a', $half, 'image/png'), 422, 'bad_file', 'half a picture')->{reason},
        'truncated', '... truncated';
    refused(ask(PUT => '/upload/a', '', 'image/png'), 422, 'invalid_fields', 'nothing');
    refused(ask(POST => '/upload/a', form(file_part($png), file_part($half)), form_type()), 422, 'bad_file',
        'a bad one behind a good one');
    refused(ask(POST => '/upload/a', form(file_part('<script>', 'text/html', 'a.html')), form_type()), 415,
        'unsupported_media_type', 'a page in a form');
    refused(ask(POST => '/upload/a', form(part('a', '<script>', 'Content-Type: text/html')), form_type()), 415,
        'unsupported_media_type', 'a page without a name');
    is refused(ask(POST => '/upload/a', form(file_part($png)) . 'x', form_type()), 400, 'malformed_body',
        'a form with text behind')->{reason}, 'form_trailing', '... form_trailing';
    refused(ask(PUT => '/upload/photos/a', $jpeg . 'x' x (2 * 1024 * 1024), 'image/jpeg'), 413, 'too_large',
        'too large');

    # Two types: the server goes by one of them, and who is behind it perhaps by the other.
    my $connection = raw();
    my $head = $connection->head(PUT => '/upload/a', 'Content-Length' => length $png, @png)
        =~ s/(Host:)/Content-Type: text\/html\r\n$1/r;
    refused($connection->ask($head . $png), 400, 'malformed_body', 'two types');

    is heard() - $before, 0, 'the application heard of none';
};

subtest 'as soon as it is known' => sub {
    my $before = heard();
    my $ask    = sub ($bytes, @more) {
        my $connection = raw();
        return $connection->ask($connection->head(PUT => '/upload/a', @png, @more) . $bytes);
    };
    refused($ask->('', 'Content-Length' => 11 * 1024 * 1024), 413, 'too_large', 'by the length that is told');
    refused($ask->('', 'Content-Length' => 11 * 1024 * 1024, Expect => '100-continue'), 413, 'too_large',
        'not invited');
    refused($ask->('', 'Content-Length' => 1000, 'Content-Type' => 'text/html', Expect => '100-continue'), 415,
        'unsupported_media_type', 'nor by its type');
    is $ask->('', 'Content-Length' => 1000, Expect => '100-continue')->{status}, 100, 'invited';
    refused($ask->('GIF89a' . 'x' x 6, 'Content-Length' => 1_000_000), 415, 'unsupported_media_type',
        'by the first bytes');
    refused($ask->("c\r\nGIF89axxxxxx", 'Transfer-Encoding' => 'chunked'), 415, 'unsupported_media_type', 'in chunks');
    refused($ask->(substr($png, 0, 8) . 'x' x 50, 'Content-Length' => 1_000_000), 422, 'bad_file', 'by its structure');
    is heard() - $before, 0, 'the application heard of none';
};

subtest 'drop by drop' => sub {
    my $before     = heard();
    my $connection = raw();
    $connection->send($connection->head(PUT => '/upload/slow/a', 'Content-Length' => 100_000, @png) . $png);
    my $end = time + 15;
    $connection->send('x') while !$connection->readable(0.1) && time < $end;
    refused($connection->answer, 408, 'upload_too_slow', 'refused');
    is heard() - $before, 0, 'the application heard nothing';
    passes('another is not', PUT => '/upload/slow/a', $png, 'image/png');
};

# A body that was read before: the application redirects inside the server to where only JPEGs are taken.
subtest 'redirected' => sub {
    my $before = heard();
    refused(ask(PUT => '/elsewhere', $_, 'image/png'), 415, 'unsupported_media_type', 'to where it is not taken')
        for $png, $png . 'x' x 200_000;
    is ask(PUT => '/elsewhere', $big, 'image/jpeg')->{status}, 200, 'to where it is';
    is ask(PUT => '/elsewhere', $jpeg, 'image/jpeg')->{status}, 200, 'a small one too';
    is heard() - $before, 6, 'the application heard of those';
};

subtest 'HTTP/2' => sub {
    folder("$home/curl");
    my $ask = sub ($body, $type, $path = '/upload/a') {
        write_file("$home/body", $body);
        return curl("https://localhost:$port$path", ca => $ca, http => '2', method => 'PUT', folder => "$home/curl",
            headers => ["Content-Type: $type"], words => ['--data-binary', "\@$home/body"]);
    };
    my $before = heard();
    is $ask->($big, 'image/jpeg')->{status}, 200, 'a good one';
    is((heard())[-1], 'PUT /upload/a ' . sha256_hex($big) . "\n", 'every byte of it');
    is $ask->($big, 'image/png')->{status}, 415, 'another type';
    is $ask->($png . 'x' x 11_000_000, 'image/png')->{status}, 413, 'too large';
    is $ask->(substr($png, 0, -12), 'image/png')->{status}, 422, 'half of one';
    is heard() - $before, 1, 'the application heard of one';
};

subtest 'aborted at any byte' => sub {
    my $before = heard();
    for my $sent (0, 1, 12, 100, length($png) - 1) {
        my $connection = raw();
        $connection->send($connection->head(PUT => '/upload/a', 'Content-Length' => length $png, @png)
                . substr $png, 0, $sent);
        $sent % 2 ? $connection->reset : $connection->close;
    }
    passes('then another', PUT => '/upload/a', $png, 'image/png');
    is heard() - $before, 1, 'which alone was heard of';
};

my $logged = qr/ 415 \d+ unsupported_media_type [0-9a-f]{32}$/m;
ok eventually(sub { read_file("$home/log/upload-access.log") =~ $logged }, 5), 'the log says why';
unlike read_file("$home/log/error.log") . read_file("$home/log/upload-gate.log"), Caportal::Test::ALARMING(),
    'nothing alarming in the logs';

done_testing;
