use v5.36;
use warnings FATAL => 'all';

# What is said of a scan's quality: on pages as they are scanned and photographed, and on the same done badly.

use Caportal::Test::Inspector;
use Caportal::Test::Picture qw(jpeg png pdf_page);
use Test::More;

my $inspector = Caportal::Test::Inspector->start;

sub hints ($got) { return join ' ', grep { $got->{$_} } qw(dark blurred small stamp landscape) }

# A page of 150 dots an inch, and a photograph of 3 megapixels.
my %scan  = (width => 1240, height => 1754);
my %photo = (width => 2000, height => 1500, photo => 1);

my @rows = (
    ['a page',                    {%scan}, ''],
    ['a page in grey',            {%scan, grey => 1}, ''],
    ['a page with a seal',        {%scan, stamp => 1}, 'stamp'],
    ['a seal in grey',            {%scan, stamp => 1, grey => 1}, ''],
    ['an empty page',             {%scan, empty => 1}, ''],
    ['an empty page with a seal', {%scan, empty => 1, stamp => 1}, 'stamp'],
    ['a dark page',               {%scan, dark => 1}, 'dark'],
    ['a page out of focus',       {%scan, blur => 12}, 'blurred'],
    ['a page a little soft',      {%scan, blur => 1}, ''],
    ['a photo',                   {%photo}, 'landscape'],
    ['a photo with a seal',       {%photo, stamp => 1}, 'stamp landscape'],
    ['a dark photo',              {%photo, dark => 1}, 'dark landscape'],
    ['a shaken photo',            {%photo, blur => 20}, 'blurred landscape'],
    ['a shaken photo with a seal', {%photo, blur => 20, stamp => 1}, 'blurred stamp landscape'],
    ['a coarse JPEG',             {%scan, quality => 40}, ''],
    ['a small page',              {width => 300, height => 420}, 'small'],
    ['a seal in the corner of a large photo', {%photo, width => 4000, height => 3000, stamp => 1}, 'stamp landscape'],
);

for my $row (@rows) {
    my ($name, $option, $wanted) = @$row;
    is hints($inspector->inspect('jpeg', jpeg(%$option), edge => 480)), $wanted, $name;
}

is hints($inspector->inspect('jpeg', jpeg(width => 300, height => 420), edge => 0)), '', 'small is what was asked for';

# Colours one by one, each over half of a picture.
my %red = ('200 40 50' => 1, '230 120 120' => 1, '150 30 30' => 1, '255 0 0' => 1,
    '255 165 0' => 0, '220 170 150' => 0, '139 90 60' => 0, '255 192 203' => 0, '128 0 128' => 0, '0 0 0' => 0,
    '60 10 10' => 0);
for my $colour (sort keys %red) {
    my @rgb = split ' ', $colour;
    my $got = $inspector->inspect('png', png(width => 40, height => 40,
        pixel => sub ($x, $y) { $y < 20 ? @rgb : (255, 255, 255) }));
    is $got->{stamp}, $red{$colour}, "$colour is " . ($red{$colour} ? '' : 'not ') . 'the red of a seal';
}

is hints($inspector->inspect('png', png(colour => 6, width => 300, height => 300,
    pixel => sub ($x, $y) { abs(sqrt(($x - 150)**2 + ($y - 150)**2) - 130) < 10
        ? (220, 30, 30, 255) : (0, 0, 0, 0) }))),
    'stamp', 'a seal on nothing is not dark';
is hints($inspector->inspect('pdf', pdf_page(pages => 2, content => '1 0 0 rg 100 100 80 80 re f'))), 'stamp',
    'a seal on a page of a document';

$inspector->stop;
done_testing;
