use v5.36;
use utf8;
use warnings FATAL => 'all';

# What anybody is shown of a scan: the inspector's copy and nothing of the file itself, to staff with a mark; headers,
# parts, pages; and that each look is recorded.

use Caportal::Files qw(read_file write_file);
use Caportal::Test;
use Caportal::Test::Picture qw(bmp exif gif gif_frame jpeg jpeg_pixels pdf_page png png_chunk with_segment);
use Caportal::Test::Walk qw(is_problem);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    my ($conf) = $text =~ m{caportal_key_ring\s+(\S+)/secrets/};
    write_file($_, read_file($_) =~ s/jpeg png bmp;/jpeg png bmp gif pdf;/gr) for "$conf/halls/nmgca.conf";
    return $text;
});
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my %mime    = (pdf => 'application/pdf', map { $_ => "image/$_" } qw(jpeg png bmp gif));

sub path ($kind, $more = '') { return $journey->_order("/materials/$kind$more") }
sub put ($kind, $type, $bytes) { return $client->put(path($kind), $bytes, $mime{$type}) }

sub looks () {
    return [map {"$_->{actor_kind} $_->{detail}"} @{ $portal->rows('SELECT actor_kind, detail FROM audit'
        . ' WHERE action LIKE "material.%" AND action <> "material.upload" ORDER BY id') }];
}

my $left    = sub ($x, $y) { $x < 32 ? (220, 60, 40) : $y < 24 ? (40, 160, 60) : (50, 80, 200) };    # red on the left
my $picture = with_segment(jpeg(pixel => $left), 0xe1, exif(6));

subtest 'a photo of a phone' => sub {
    my $answer = put(licence => jpeg => $picture);
    is $answer->code, 201, 'is taken';
    is_deeply $answer->json->{hints}, [qw(too_dark too_small rotated)], 'its owner is told what is odd about it';
    is $answer->json->{pages}, 1, 'it has one page';

    my $shown = $client->get(path('licence'));
    is $shown->code . ' ' . $shown->headers->content_type, '200 image/jpeg', 'it is shown';
    unlike $shown->body, qr/Exif|GPS|2026:/, 'without what the camera wrote';
    my $upright = jpeg_pixels($shown->body);
    is_deeply [@$upright{qw(width height)}], [48, 64], 'upright';
    my ($top, $bottom) = map { $upright->{pixels}[$_][0] } 5 * 48 + 5, 58 * 48 + 5;
    cmp_ok $top, '>', 180, 'what was on the left is above';
    cmp_ok $bottom, '<', 100, 'and what was on the right below';

    my $small = $client->get(path('licence', '/thumbnail'));
    is_deeply [@{ jpeg_pixels($small->body) }{qw(width height)}], [48, 64], 'a small one is not made larger';
    my ($row) = @{ $client->get(path('licence') =~ s{/licence}{}r)->json->{items} };
    is_deeply [@$row{qw(pages hints)}], [1, [qw(too_dark too_small rotated)]], 'the list says the same';
};

subtest 'headers' => sub {
    for my $case (['', 'licence.jpg'], ['/thumbnail', 'licence-thumbnail.jpg']) {
        my $headers = $client->get(path('licence', $case->[0]))->headers;
        is $headers->header('Content-Disposition'), qq{inline; filename="$case->[1]"}, $case->[1];
        is $headers->header('Cache-Control'), 'private, no-store', 'nobody keeps it';
        is_deeply [$headers->header('X-Content-Type-Options')], ['nosniff'], 'nobody guesses its type, which is said once';
        like $headers->header('Content-Security-Policy'), qr/sandbox; default-src 'none'/, 'it runs nothing';
        like $headers->etag, qr/\A"[0-9a-f]{32}"\z/, 'and is known by a tag';
    }
};

subtest 'parts' => sub {
    my $get = sub (%headers) { return $client->get(path('licence'), headers => \%headers) };
    my $all = $get->();
    my ($bytes, $tag) = ($all->body, $all->headers->etag);
    is $get->()->headers->etag, $tag, 'the same bytes have the same tag';
    my $part = $get->(Range => 'bytes=2-9');
    is $part->code . ' ' . $part->body, '206 ' . substr($bytes, 2, 8), 'a part';
    is $part->headers->content_range, 'bytes 2-9/' . length $bytes, 'of so many';
    is $get->(Range => 'bytes=-5', 'If-Range' => $tag)->body, substr($bytes, -5), 'the end, if it is the same';
    is $get->(Range => 'bytes=-5', 'If-Range' => '"' . '0' x 32 . '"')->body, $bytes, 'all of it, if it is not';
    is $get->(Range => 'bytes=' . length($bytes) . '-')->code, 416, 'nothing is beyond';
    is $get->('If-None-Match' => $tag)->code, 304, 'no news';
    is $client->request(HEAD => path('licence'))->headers->content_length, length $bytes, 'how long it is';
};

subtest 'each look is recorded' => sub {
    my $before = @{ looks() };
    $client->get(path('licence', $_)) for '', '/thumbnail';
    is_deeply [@{ looks() }[$before .. $before + 1]],
        ['applicant {"kind":"licence","page":1}', 'applicant {"kind":"licence","thumbnail":true}'], 'of the owner';
    $before += 2;
    is $portal->staff('reviewer')->get('/staff' . path('licence'))->code, 200, 'a reviewer looks';
    is looks()->[$before], 'staff {"kind":"licence","page":1}', 'and of staff';
    is_problem($client->get(path('legal_seal')), 404, 'not_found', 'what is not there');
    is_problem($client->get(path('licence', '?page=2')), 404, 'not_found', 'a page that is not there');
    is @{ looks() }, $before + 1, 'was not seen';
};

subtest 'pages' => sub {
    my $answer = put(seal_image => pdf => pdf_page(pages => 3));
    is_deeply [$answer->code, $answer->json->{pages}], [201, 3], 'a document of three';
    my @pages = map { $client->get(path('seal_image', "?page=$_")) } 1 .. 3;
    is_deeply [map { $_->headers->content_type } @pages], [('image/jpeg') x 3], 'each is a picture';
    is $client->get(path('seal_image'))->body, $pages[0]->body, 'the first is shown unless another is asked for';
    is $pages[2]->headers->header('Content-Disposition'), 'inline; filename="seal_image-3.jpg"', 'its name';
    my $pixels = jpeg_pixels($client->get(path('seal_image', '/thumbnail'))->body);
    cmp_ok $pixels->{height}, '<=', 256, 'the thumbnail is small';
    is_problem($client->get(path('seal_image', '?page=4')), 404, 'not_found', 'there is no fourth');
    is_problem($client->get(path('seal_image', "?$_")), 400, 'bad_query', $_)
        for qw(page=0 page=51 page=x page= page=1&page=2 pages=1);
};

# Files that are two things at once: what is shown is a picture and nothing else.
subtest 'polyglots' => sub {
    my $mark = '<script>alert("MARKER")</script>PK\3\4MARKER<?php system("MARKER"); ?>%PDF-1.4 MARKER'
        . 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*';
    my $inside = gif(frames => ["\x21\xfe" . chr(length $mark) . "$mark\0", gif_frame()]);
    my @files = (
        ['a script in a comment', jpeg => with_segment(jpeg(), 0xfe, $mark)],
        ['XMP',                   jpeg => with_segment(jpeg(), 0xe1, "http://ns.adobe.com/xap/1.0/\0$mark")],
        ['an archive behind',     jpeg => jpeg() . $mark],
        ['text of a PNG',         png  => png(before => png_chunk('tEXt', "Comment\0$mark"))],
        ['a page in a GIF',       gif  => $inside],
        ['a gap of a BMP',        bmp  => bmp(gap => $mark)],
        ['text of a PDF',         pdf  => pdf_page() =~ s/%PDF-1.4\n/%PDF-1.4\n%$mark\n/r],
    );
    my $auditor = $portal->staff('auditor');
    for my $file (@files) {
        my ($name, $type, $bytes) = @$file;
        is put(seal_image => $type => $bytes)->code, 201, "$name: $type";
        my $seen = join '', map { $client->get(path('seal_image', $_))->body } '', '/thumbnail';
        unlike $seen, qr/MARKER|script|EICAR|PDF-1|php|PK\x03/, '  is not in what is shown';
        is $auditor->get('/staff' . path('seal_image', '/original'))->body, $bytes, '  the evidence has it';
    }
};

subtest 'marks' => sub {
    put(licence => jpeg => jpeg(width => 800, height => 600));
    my %seen = map {
        my $more = $_;
        $more => {owner => $client->get(path('licence', $more)),
            map { $_ => $portal->staff($_)->get('/staff' . path('licence', $more)) } qw(reviewer reviewer-2 auditor)};
    } '', '/thumbnail';

    for my $more ('', '/thumbnail') {
        my %pixels = map { $_ => jpeg_pixels($seen{$more}{$_}->body) } keys %{ $seen{$more} };
        my $many = 0;
        my ($plain, $marked) = map { $_->{pixels} } @pixels{qw(owner reviewer)};
        $many += abs($plain->[$_][1] - $marked->[$_][1]) > 30 for 0 .. $#$plain;
        cmp_ok $many, '>', @$plain / 200, "what staff see is marked: licence$more";
        is_deeply [@{ $pixels{reviewer} }{qw(width height)}], [@{ $pixels{owner} }{qw(width height)}],
            '  in the same size';
        isnt $seen{$more}{reviewer}->body, $seen{$more}{'reviewer-2'}->body, '  with who it is';
        is $seen{$more}{reviewer}->headers->header('Cache-Control'), 'private, no-store', '  and nobody keeps it';
    }

    # A later minute is another mark; the tag keeps parts of both apart.
    my $tag  = $seen{''}{auditor}->headers->etag;
    my $part = $portal->staff('auditor')->get('/staff' . path('licence'),
        headers => {Range => 'bytes=0-9', 'If-Range' => $tag});
    ok $part->code == 206 ? $part->headers->etag eq $tag : $part->code == 200, 'parts are of one mark';
};

subtest 'the evidence' => sub {
    my $path = '/staff' . path('licence', '/original');
    is put(licence => jpeg => $picture)->code, 201, 'a file';
    is_problem($portal->staff($_)->get($path), 403, 'forbidden', "not for a $_")
        for qw(reviewer finance producer shipper administrator);
    is $client->get(path('licence', '/original'))->code, 404, 'nor for its owner, who has it';
    my $before = @{ looks() };
    my $answer = $portal->staff('auditor')->get($path);
    is $answer->body, $picture, 'every byte of it for an auditor';
    is $answer->headers->content_type, 'application/octet-stream', 'as of no type';
    is $answer->headers->header('Content-Disposition'), 'attachment; filename="licence.jpg"', 'to be saved';
    is looks()->[$before], 'staff {"kind":"licence"}', 'which is recorded';
    is $portal->staff('auditor')->get($path, headers => {Range => 'bytes=5-9'})->body, substr($picture, 5, 5),
        'in parts too';
};

subtest 'vouchers' => sub {
    my $order   = $portal->order_until('approved');
    $order->step($_) for qw(payment voucher);
    my $voucher = "/staff/api/payments/$order->{payment}/voucher";
    my $path    = $order->_order("/payments/$order->{payment}/voucher");
    is $order->applicant->put($path, $picture, 'image/jpeg')->code, 201, 'a voucher';
    is_problem($order->applicant->put($path, substr($picture, 0, -300) . "\xff\xd9", 'image/jpeg'), 422, 'bad_file',
        'one that is damaged inside');

    my $shown = $portal->staff('finance')->get($voucher);
    is_deeply [@{ jpeg_pixels($shown->body) }{qw(width height)}], [48, 64], 'is shown upright';
    unlike $shown->body, qr/GPS/, 'and clean';
    is_problem($portal->staff('finance')->get("$voucher?page=2"), 404, 'not_found', 'it has one page');
    is_problem($portal->staff('finance')->get("$voucher/original"), 403, 'forbidden', 'the evidence is the auditor\'s');
    is $portal->staff('auditor')->get("$voucher/original")->body, $picture, 'who gets it';
    is_deeply [map { $_->{action} } @{ $portal->rows('SELECT action FROM audit WHERE object_kind = "payment"'
        . ' AND action LIKE "payment.voucher%" ORDER BY id') }], [qw(payment.voucher_read payment.voucher_download)],
        'each is recorded';
};

done_testing;
