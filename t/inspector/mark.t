use v5.36;
use utf8;
use warnings FATAL => 'all';

# Marks: the text is in the pixels of a JPEG, everywhere, on what is light and on what is dark; nothing else changes.

use Caportal::Test::Inspector;
use Caportal::Test::Picture qw(png jpeg jpeg_pixels pdf_page);
use Test::More;

my $inspector = Caportal::Test::Inspector->start;

sub bytes ($text) { utf8::encode($text); return $text }

sub marked ($type, $picture, $text, %option) {
    return $inspector->inspect($type, $picture, mark => bytes($text), %option);
}

my $text = '王审核 s7 2026-01-02 11:04';

# By how much each pixel of a picture of one colour changed, rows of them.
sub changes ($rgb, $width = 400, $height = 300, $words = $text) {
    my $picture = png(width => $width, height => $height, pixel => sub ($x, $y) {@$rgb});
    my $got     = marked(png => $picture, $words, quality => 100);
    my $pixels  = jpeg_pixels($got->{copy}{bytes})->{pixels};
    return map { my $y = $_; [map { $pixels->[$y * $width + $_][1] - $rgb->[1] } 0 .. $width - 1] } 0 .. $height - 1;
}

# How many pixels of a part of it are another colour than before.
sub covered ($rows, $x, $y, $width, $height) {
    return scalar grep { abs > 20 } map { @{ $rows->[$_] }[$x .. $x + $width - 1] } $y .. $y + $height - 1;
}

subtest 'on colours' => sub {
    for my $case (['white', [255, 255, 255], -1], ['black', [0, 0, 0], 1], ['a grey', [128, 128, 128], -1],
        ['red', [220, 30, 30], 1])
    {
        my ($name, $rgb, $sign) = @$case;
        my @rows = changes($rgb);
        my @all  = map {@$_} @rows;
        cmp_ok scalar(grep { $_ * $sign > 20 } @all), '>', 2000,
            "$name is " . ($sign > 0 ? 'lighter' : 'darker') . ' where the mark is';
        cmp_ok scalar(grep { abs > 3 } @all), '<', @all / 3, '  and most of it is as it was';
    }
};

subtest 'everywhere' => sub {
    my @rows = changes([255, 255, 255], 800, 600);
    for my $y (map { 150 * $_ } 0 .. 3) {
        cmp_ok covered(\@rows, 200 * $_, $y, 200, 150), '>', 100, "at ${\ (200 * $_)}, $y" for 0 .. 3;
    }
};

subtest 'what comes of it' => sub {
    my $picture = jpeg(width => 300, height => 200);
    my ($one, $again, $other) = map { marked(jpeg => $picture, $_)->{copy}{bytes} } $text, $text, "$text.";
    is $again, $one, 'the same text makes the same bytes';
    isnt $other, $one, 'another one others';

    my $got = marked(jpeg => $picture, $text);
    is_deeply [@{ $got->{copy} }{qw(type width height)}], ['image/jpeg', 300, 200], 'a JPEG of the same size';
    is $got->{thumbnail}{size}, 0, 'and no thumbnail';
    unlike $got->{copy}{bytes}, qr/2026-01-02/, 'the text is in its pixels alone';

    my %of = (palette => png(colour => 3, width => 40, height => 40), transparent => png(colour => 6),
        grey => png(colour => 0), bits => png(colour => 0, depth => 1, width => 33, height => 7));
    is marked(png => $of{$_}, $text)->{copy}{type}, 'image/jpeg', "PNG: $_" for sort keys %of;
};

subtest 'odd ones' => sub {
    my %sizes = ('one pixel' => [1, 1], 'a line' => [3000, 1], 'a column' => [1, 3000]);
    is marked(jpeg => jpeg(width => 5000, height => 4000), $text)->{reason}, '', 'a large one';
    for my $name (sort keys %sizes) {
        my ($width, $height) = @{ $sizes{$name} };
        my $got = marked(png => png(width => $width, height => $height), $text);
        is_deeply [$got->{reason}, @{ $got->{copy} }{qw(width height)}], ['', $width, $height], $name;
    }
    is $inspector->verdict('jpeg', jpeg(), mark => $_->[1]), $_->[2], $_->[0] for
        ['a letter', 'x', 'ok'], ['255 bytes', 'x' x 255, 'ok'], ['256 bytes', 'x' x 256, 'internal'],
        ['letters that no font has', bytes("\x{e000}\x{10ffff}\x{1f600}"), 'ok'],
        ['no UTF-8', "\xff\xc3 \xe4\xb8 \x80\xf0", 'ok'],
        ['UTF-8 that is cut', "abc\xe4", 'ok'], ['characters of control', "a\tb\nc\e[1m", 'ok'];
    is $inspector->verdict($_->[0], $_->[1], mark => 'x'), 'internal', "a $_->[0] takes none"
        for ['pdf', pdf_page()], ['gif', 'GIF89a'], ['bmp', 'BM'];
    is $inspector->verdict('jpeg', 'nothing', mark => 'x'), 'damaged', 'what cannot be decoded cannot be marked';
};

$inspector->stop;
done_testing;
