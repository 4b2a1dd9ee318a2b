use v5.36;
use utf8;
use warnings FATAL => 'all';

# Uploads by forms, as a page without scripts or another program sends them; and what a form may not be.

use Caportal::Sample qw(new_bmp new_jpeg new_png);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw settled temporaries);
use Caportal::Test::Form qw(file_part form form_type part);
use Caportal::Test::Walk qw(is_problem is_unchanged state_of);
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use Test::More;

my $portal  = Caportal::Test->start;
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $scan    = '/api/orders/' . $journey->no . '/materials/licence';

sub post ($body, %option) {
    return $client->request(POST => $scan, body => $body, type => form_type(), %option);
}

# What is stored, as it came.
sub evidence () { return $portal->staff('auditor')->get("/staff$scan/original")->body }

sub is_stored ($answer, $bytes, $title) {
    is $answer->code, 201, $title or return diag $answer->body;
    is $answer->json->{sha256}, sha256_hex($bytes), 'every byte of it';
    is sha256_hex(evidence()), sha256_hex($bytes), 'and back';
    return;
}

subtest 'a file by a form' => sub {
    my %file = (jpeg => new_jpeg(), png => new_png(), bmp => new_bmp(200, 200));
    is_stored(post(form(file_part($file{$_}, "image/$_", "扫描件.$_" =~ s/(\P{ASCII})/sprintf '%%%02X', ord $1/ger))),
        $file{$_}, $_) for sort keys %file;

    is_stored(post(form(part('_charset_', 'UTF-8'), file_part($file{png}))), $file{png}, 'with what browsers add');
    is_stored(post(form(file_part($file{jpeg}, 'application/octet-stream', 'scan.jpg'))), $file{jpeg},
        'by its name alone');
    is_stored(post(form(file_part($file{png}, undef, 'SCAN.PNG'))), $file{png}, 'without a type');
    is_stored(post(form(file_part($file{jpeg}, 'image/jpeg', undef))), $file{jpeg}, 'without a name');
    is_stored(post("\r\n" . form(file_part($file{png}))), $file{png}, 'with a line break in front');
};

subtest 'refused' => sub {
    my $png    = new_png();
    my $before = state_of($portal);
    my $file   = file_part($png);

    my %named  = (file => 'required');
    my @cases = (
        # what is wrong, the body, status, code, fields or the reason
        ['no file',         form(), 422, 'invalid_fields', \%named],
        ['text alone',      form(part('_charset_', 'x')), 422, 'invalid_fields', \%named],
        ['none chosen',     form(file_part('', 'application/octet-stream', '')), 422, 'invalid_fields', \%named],
        ['an empty one',    form(file_part('')), 422, 'invalid_fields', \%named],
        ['two files',       form($file, $file), 422, 'invalid_fields', {file => 'repeated'}],
        ['another field',   form($file, part('note', 1)), 422, 'invalid_fields', {note => 'unknown'}],
        ['another file',    form($file, file_part($png, 'image/png', 'a.png', 'more')),
 422, 'invalid_fields', {more => 'unknown'}],
        ['a name that is no text', form(part("\xff", 1)), 422, 'invalid_fields', {'' => 'unknown'}],
        ['another type',    form(file_part($png, 'image/jpeg')), 415, 'unsupported_media_type'],
        ['another ending',  form(file_part($png, 'image/png', 'scan.jpg')), 415, 'unsupported_media_type'],
        ['other bytes',     form(file_part($png, 'image/jpeg', 'scan.jpg')), 415, 'unsupported_media_type'],
        ['two endings',     form(file_part($png, 'image/png', 'scan.png.exe')), 415, 'unsupported_media_type'],
        ['nothing said',    form(file_part($png, undef, undef)), 415, 'unsupported_media_type'],
        ['a text for it',   form(part('file', 'text')), 415, 'unsupported_media_type'],
        ['not of the kind', form(file_part('GIF89a' . 'x' x 99, 'image/gif', 'x.gif')), 415, 'unsupported_media_type'],
        ['half a file',     form(file_part(substr $png, 0, -12)), 422, 'bad_file', 'truncated'],
        ['text before',     "before\r\n" . form($file), 400, 'malformed_body', 'form_boundary'],
        ['text behind',     form($file) . 'behind', 400, 'malformed_body', 'form_trailing'],
        ['no end',          substr(form($file), 0, -4), 400, 'malformed_body', 'form_truncated'],
        ['no name',         form("X: y\r\n\r\n$png"), 400, 'malformed_body', 'form_header'],
        ['encoded',         form("Content-Transfer-Encoding: base64\r\n$file"), 400, 'malformed_body', 'form_header'],
        ['a long header',   form('X: ' . 'x' x 5000 . "\r\n$file"), 400, 'malformed_body', 'form_header_too_long'],
        ['too much text',   form(map({ part('_charset_', 'x' x 4000) } 1 .. 5), $file), 413, 'too_large'],
        ['no form at all',  $png, 400, 'malformed_body', 'form_boundary'],
    );
    for my $case (@cases) {
        my ($title, $body, $status, $code, $why) = @$case;
        my $answer = post($body);
        is_problem($answer, $status, $code, $title, ref $why ? $why : ());
        is $answer->json->{reason}, $why, "... $why" if $why && !ref $why;
    }

    is_problem(post($png, type => $_), 415, 'unsupported_media_type', "POST of $_")
        for 'image/png', 'application/x-www-form-urlencoded', 'multipart/mixed; boundary=a';
    is_problem(post(form($file), type => $_), 400, 'malformed_body', $_)
        for 'multipart/form-data', 'multipart/form-data; boundary=a; boundary=b', 'multipart/form-data; boundary="a "';
    is_problem($client->put($scan, form($file), form_type()), 415, 'unsupported_media_type', 'PUT of a form');
    is_unchanged($portal, $before, 'nothing changed');
};

# A form on a foreign page cannot do it: browsers tell where it stands.
subtest 'a foreign page' => sub {
    my $body = form(file_part(new_png()));
    is_problem(post($body, origin => undef), 403, 'bad_origin', 'no Origin');
    is_problem(post($body, origin => $_), 403, 'bad_origin', "Origin: $_") for 'https://evil.example', 'null';
    is_problem(post($body, headers => {'Sec-Fetch-Site' => $_}), 403, 'bad_origin', "Sec-Fetch-Site: $_")
        for qw(cross-site same-site);
    is post($body, headers => {'Sec-Fetch-Site' => 'same-origin', 'Sec-Fetch-Mode' => 'navigate'})->code, 201,
        'our own page';
};

subtest 'a browser is told in HTML' => sub {
    my $connection = raw($portal, $client);
    my $answer = $connection->ask($connection->whole(POST => $scan, form(), 'Content-Type' => form_type(),
        Accept => 'text/html,application/xhtml+xml,*/*;q=0.8'));
    is $answer->{status}, 422, 'refused';
    like $answer->{headers}{'content-type'}, qr{\Atext/html}, 'by a page';
    like $answer->{body}, qr/invalid_fields/, 'that says why';
};

subtest 'a page without scripts goes on' => sub {
    my $png  = new_png();
    my $next = '/orders/' . $journey->no . '?tab=materials';
    my $answer = post(form(part('next', $next), file_part($png)));
    is $answer->code . ' ' . ($answer->headers->location // ''), "303 $next", 'to where it says, on this server';
    is sha256_hex(evidence()), sha256_hex($png), 'the file is there';
    is_problem(post(form(part('next', $_), file_part(new_png()))), 422, 'invalid_fields', "not to $_", {next => 'format'})
        for 'https://evil.example/', '//evil.example/', '/\\evil.example/', "/\tx", 'orders';
    is sha256_hex(evidence()), sha256_hex($png), 'and nothing is stored then';
    $answer = post(form(part('next', $next), file_part(substr $png, 0, -12)));
    is $answer->code . ($answer->headers->location // ''), 422, 'nor anywhere when the file is none';
};

subtest 'however it is cut' => sub {
    my $png  = new_png();
    my $body = form(part('_charset_', 'UTF-8'), file_part($png));
    my @type = ('Content-Type' => form_type());

    for my $size (1, 3, 100) {
        my $connection = raw($portal, $client);
        $connection->send($connection->head(POST => $scan, 'Content-Length' => length $body, @type));
        $connection->send_in_pieces($body, $size);
        is $connection->answer->{status}, 201, "in pieces of $size";
    }

    my $connection = raw($portal, $client);
    $connection->send($connection->head(POST => $scan, 'Transfer-Encoding' => 'chunked', @type));
    $connection->send_in_pieces(join('', map { sprintf "1\r\n%s\r\n", $_ } split //, $body) . "0\r\n\r\n", 7);
    my $answer = $connection->answer;
    is $answer->{status}, 201, 'in chunks of a byte';
    is decode_json($answer->{body})->{sha256}, sha256_hex($png), 'every byte of it';
};

subtest 'refused before it is sent' => sub {
    my @type = ('Content-Type' => form_type(), Expect => '100-continue');
    my $ask  = sub ($length, @more) {
        my $connection = raw($portal, $client);
        return $connection->ask($connection->head(POST => $scan, 'Content-Length' => $length, @type, @more))->{status};
    };
    is $ask->(1024 * 1024 + 16384), 100, 'as much as may come';
    is $ask->(1024 * 1024 + 16385), 413, 'a byte more';
    is $ask->(1000, 'Content-Type' => 'image/png'), 415, 'no form';
    is $ask->(1000, 'Content-Type' => 'multipart/form-data'), 400, 'no boundary';
    is $ask->(1000, Origin => undef), 403, 'a foreign page';
    ok eventually(sub { !temporaries($portal) }, 5), 'nothing of them is kept';
};

# A file over the limit within a form whose length was not told: cut off at the byte.
subtest 'too large in chunks' => sub {
    my $png  = new_png();
    my $body = form(file_part($png . 'x' x (1024 * 1024 + 1 - length $png)));
    my $connection = raw($portal, $client);
    $connection->send($connection->head(POST => $scan, 'Transfer-Encoding' => 'chunked', 'Content-Type' => form_type())
            . sprintf("%x\r\n%s\r\n", length $body, $body));
    is $connection->answer->{status}, 413, 'without the end of the form';
};

settled($portal);

done_testing;
