use v5.36;
use utf8;
use warnings FATAL => 'all';

# Files that are two things at once, and pictures that say they are huge: refused by what they begin with, by what they
# are declared as, by their header alone; and what is handed out is never a page or a script of ours.

use Caportal::Sample qw(new_bmp new_jpeg new_png);
use Caportal::Test;
use Caportal::Test::Edge qw(raw settled);
use Caportal::Test::Upload qw(any_format licence_of new_gif new_pdf only_stored stored_files whole_store);
use Caportal::Test::Walk qw(is_problem);
use Compress::Zlib qw(crc32);
use Test::More;

my $portal  = Caportal::Test->start(edit => \&any_format);
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $path    = licence_of($journey);

my $script = q{/*<script>marker()</script>*/};
my $page   = '<!DOCTYPE html><html><body onload="marker()">';
my $zip    = "PK\3\4" . pack('v5V3v2', 20, 0, 0, 0, 0, 0, 6, 6, 1, 0) . 'amarker';

sub chunk ($type, $bytes) { return pack('N', length $bytes) . $type . $bytes . pack 'N', crc32("$type$bytes") }

sub comment ($bytes) { return pack 'n2a*', 0xfffe, 2 + length $bytes, $bytes }

# A picture of a format that says it has so many pixels, up to the end of the header that says it.
my %bomb = (
    'image/png'  => "\x89PNG\r\n\x1a\n" . chunk(IHDR => pack 'N2C5', 30_000, 30_000, 1, 0, 0, 0, 0),
    'image/jpeg' => "\xff\xd8\xff\xdb\0\x43\0" . "\1" x 64 . "\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0",
    'image/gif'  => 'GIF89a' . pack('v2C3', 65_535, 65_535, 0x80, 0, 0),
    'image/bmp'  => pack('a2Vv2V', 'BM', 0, 0, 0, 62) . pack('Vl2v2V6', 40, 30_000, 30_000, 1, 1, 0, 0, 0, 0, 2, 0),
);

# The answer comes while most of what was announced has not been sent.
for my $type (sort keys %bomb) {
    my $connection = raw($portal, $client);
    $connection->send($connection->head(PUT => $path, 'Content-Type' => $type, 'Content-Length' => 5_000_000)
            . $bomb{$type} . "\0" x 200);
    my $answer = $connection->answer // {};
    is $answer->{status}, 422, "$type of too many pixels: refused by its header";
    like $answer->{body}, qr/"reason":"too_many_pixels"/, 'and why';
}

# GIF's screen may be small and a frame of it huge.
my $frame = new_gif() =~ s/(?<=\x2c\x00{4})\x04\x00\x04\x00/\xff\xff\xff\xff/r;
is_problem($client->put($path, $frame, 'image/gif'), 422, 'bad_file', 'a huge frame on a small screen');

# What begins as something else, or is declared as such, whatever follows.
my %two_faced = (
    'HTML before a JPEG'        => ['image/jpeg',      $page . new_jpeg()],
    'ZIP before a PDF'          => ['application/pdf', $zip . new_pdf()],
    'a script before a GIF'     => ['image/gif',       $script . new_gif()],
    'a PNG declared a JPEG'     => ['image/jpeg',      new_png()],
    'a BMP declared a PDF'      => ['application/pdf', new_bmp()],
    'a GIF declared a script'   => ['text/javascript', new_gif()],
    'a JPEG declared HTML'      => ['text/html',       new_jpeg()],
    'a PDF declared ZIP'        => ['application/zip', new_pdf()],
    'a PNG declared SVG'        => ['image/svg+xml',   new_png()],
    'SVG'                       => ['image/svg+xml',   '<svg xmlns="http://www.w3.org/2000/svg" onload="marker()"/>'],
    'HTML declared a PNG'       => ['image/png',       $page],
);
my @before = stored_files($portal);
for my $name (sort keys %two_faced) {
    my ($type, $bytes) = @{ $two_faced{$name} };
    is_problem($client->put($path, $bytes, $type), 415, 'unsupported_media_type', $name);
}
only_stored($portal, \@before, 'nothing of them is stored');

# Decoders accept these, so they are either refused or kept as evidence; what anybody is shown is a copy that holds their
# pixels and nothing that a browser runs.
my %polyglot = (
    'GIF and script'          => ['image/gif',       new_gif("=1;$script")],
    'GIF and ZIP'             => ['image/gif',       new_gif() . $zip],
    'JPEG and HTML'           => ['image/jpeg',      new_jpeg() =~ s/\A../$& . comment($page)/ser],
    'JPEG and ZIP'            => ['image/jpeg',      new_jpeg() . $zip],
    'PNG and HTML'            => ['image/png',       new_png() =~ s/(?=\x00{4}IEND)/chunk(tEXt => "Comment\0$page")/er],
    'PNG and trailing bytes'  => ['image/png',       new_png() . $page],
    'BMP and ZIP'             => ['image/bmp',       new_bmp() . $zip],
    'PDF and ZIP'             => ['application/pdf', new_pdf() . $zip],
);
for my $name (sort keys %polyglot) {
    my ($type, $bytes) = @{ $polyglot{$name} };
    my $put = $client->put($path, $bytes, $type);
    next if $put->code == 422 && pass "$name: refused";

    subtest $name => sub {
        is $put->code, 201, 'stored';
        my $got     = $client->get($path);
        my $headers = $got->headers;
        is $got->code, 200, 'handed out';
        like $headers->content_type, qr{\Aimage/(?:png|jpeg)\z}, 'as a picture';
        unlike $got->body, qr/marker|<script|PK\x03\x04/, 'of which nothing else is left';
        is_deeply [$headers->header('X-Content-Type-Options')], ['nosniff'], 'that no browser guesses';
        like $headers->content_disposition, qr/\Ainline; filename="[\w.-]+"\z/, 'by a name of ours';
        like $headers->header('Content-Security-Policy'), qr/\bsandbox\b.*default-src 'none'/, 'and in no page of ours';
    };
}

whole_store($portal);
settled($portal);

done_testing;
