use v5.36;
use warnings FATAL => 'all';

# Documents: pages become pictures; what a reader would run, open or hide behind a password is refused, each for its
# own reason; damage is repaired where readers do.

use Caportal::Test::Inspector;
use Caportal::Test::Picture qw(pdf pdf_compressed pdf_page png jpeg jpeg_pixels);
use Compress::Zlib ();
use Test::More;

use constant FEW => 40_000;    # pixels of a page that the test looks at one by one

my $inspector = Caportal::Test::Inspector->start;

sub stream ($data, $more = '') { return "<</Length @{[ length $data ]}$more>>stream\n$data\nendstream" }

sub page_is ($page, $x, $y, $wanted, $name) {
    my $pixels = jpeg_pixels($page->{bytes});
    my $got    = $pixels->{pixels}[int($y * $pixels->{height}) * $pixels->{width} + int($x * $pixels->{width})];
    my @off    = grep { abs($got->[$_] - $wanted->[$_]) > 12 } 0 .. 2;
    ok !@off, $name or diag "@$got";
    return;
}

subtest 'pages' => sub {
    my $got = $inspector->inspect('pdf', pdf_page());
    is $got->{reason} . $got->{code}, '', 'a page is accepted';
    is scalar @{ $got->{pages} }, 1, 'one picture';
    is_deeply [@{ $got->{pages}[0] }{qw(width height type)}], [1240, 1754, 'image/jpeg'], '150 dots an inch';
    is_deeply [@{ $got->{thumbnail} }{qw(width height)}], [180, 256], 'and a thumbnail';
    is $got->{copy}{size}, 0, 'no copy besides';
    is $got->{stamp}, 1, 'its red is seen';
    $got = $inspector->inspect('pdf', pdf_page(), pixels => FEW);
    cmp_ok $got->{width} * $got->{height}, '<=', FEW, 'fewer dots where fewer are allowed';
    page_is($got->{pages}[0], 0.3, 0.22, [229, 51, 51], 'what was painted is there');
    page_is($got->{pages}[0], 0.9, 0.9,  [255, 255, 255], 'on white paper');

    $got = $inspector->inspect('pdf', pdf_page(page => '/Rotate 90'), pixels => FEW);
    is $got->{landscape}, 1, 'a turned page is shown turned';
    page_is($got->{pages}[0], 0.78, 0.3, [229, 51, 51], 'with what is on it');

    $got = $inspector->inspect('pdf', pdf_page(page => '/CropBox [100 600 300 700]'));
    is_deeply [@$got{qw(width height)}], [417, 208], 'a cropped one cropped';

    $got = $inspector->inspect('pdf', pdf_page(width => 14400, height => 14400));
    cmp_ok $got->{width} * $got->{height}, '<=', 4_010_000, 'a poster is drawn smaller';
    $got = $inspector->inspect('pdf', pdf_page(width => 14400, height => 3));
    is $got->{reason}, '', 'a strip is drawn';
    $got = $inspector->inspect('pdf', pdf_page(width => 0.01, height => 0.01));
    is $got->{reason}, '', 'a dot is drawn';

    $got = $inspector->inspect('pdf', pdf_page(pages => 20));
    is scalar @{ $got->{pages} }, 20, 'twenty pages';
    cmp_ok $got->{pages}[19]{width} * $got->{pages}[19]{height}, '<=', 1_010_000, 'share their pixels';
    is $inspector->verdict('pdf', pdf_page(pages => 21)), 'too_many_pages', 'one more is refused';
    is $inspector->verdict('pdf', pdf_page(pages => 3), pages => 2), 'too_many_pages',
        'by the limit that was asked for';
    is $inspector->verdict('pdf', pdf_page(pages => 50), pages => 50), 'ok', 'or allowed';
};

subtest 'what may be on a page' => sub {
    my $text = 'BT /F1 48 Tf 50 700 Td (Hello) Tj ET BT /F2 48 Tf 50 500 Td <4F01 4E1A> Tj ET';
    my @fonts = (
        '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
        '<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[7 0 R]>>',
        '<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 8 0 R/CIDSystemInfo<</Registry(Adobe)'
            . '/Ordering(GB1)/Supplement 2>>>>',
        '<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800'
            . '/Descent -200/CapHeight 700/StemV 80>>',
    );
    my $got = $inspector->inspect('pdf', pdf_page(content => $text, resources => '/Font<</F1 5 0 R/F2 6 0 R>>',
        more => \@fonts), pixels => 8 * FEW);
    is $got->{reason}, '', 'fonts that are not embedded';
    my $pixels = jpeg_pixels($got->{pages}[0]{bytes});
    for my $line ([Latin => 0.14, 0.17], [Chinese => 0.36, 0.41]) {
        my ($name, $from, $to) = @$line;
        my $width = $pixels->{width};
        my @left  = map { my $at = $_ * $width; @{ $pixels->{pixels} }[$at .. $at + $width / 2] }
            int($from * $pixels->{height}) .. int($to * $pixels->{height});
        my $dark  = grep { $_->[0] < 100 } @left;
        cmp_ok $dark, '>', 100, "$name letters are drawn";
    }

    my $jpeg  = jpeg(width => 300, height => 200, stamp => 1);
    my $image = sub ($data, $more) {
        return stream($data, "/Type/XObject/Subtype/Image/BitsPerComponent 8/ColorSpace/DeviceRGB$more");
    };
    my %scan  = (
        JPEG  => $image->($jpeg, '/Width 300/Height 200/Filter/DCTDecode'),
        Flate => $image->(Compress::Zlib::compress("\xc8\x28\x28" x 100), '/Width 10/Height 10/Filter/FlateDecode'),
        ASCII => $image->(unpack('H*', Compress::Zlib::compress("\xc8\x28\x28" x 100)) . '>',
            '/Width 10/Height 10/Filter[/ASCIIHexDecode/FlateDecode]'),
    );
    for my $kind (sort keys %scan) {
        $got = $inspector->inspect('pdf', pdf_page(content => 'q 500 0 0 700 50 70 cm /I Do Q',
            resources => '/XObject<</I 5 0 R>>', more => [$scan{$kind}]), pixels => FEW);
        is $got->{reason}, '', "a scan as $kind";
        page_is($got->{pages}[0], 0.5, 0.5, [200, 40, 40], '  is drawn') if $kind ne 'JPEG';
    }

    is $inspector->verdict('pdf',
        pdf_page(page => '/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.com)>>>>]')),
        'ok', 'a link is harmless';
    my $empty = '<</Names[]>>';
    is $inspector->verdict('pdf', pdf_page(
        catalog => "/Outlines<</Count 0>>/Names<</Dests$empty/JavaScript$empty/EmbeddedFiles$empty>>")), 'ok',
        'so are empty lists of what would be refused';
    is $inspector->verdict('pdf', pdf_page(content => '(/JS /JavaScript /Launch /EmbeddedFile) pop')), 'ok',
        'and the words as text';
    is $inspector->verdict('pdf', pdf_page(catalog => '/AcroForm<</Fields[]>>')), 'ok', 'and a form';
};

subtest 'policy' => sub {
    my $script = '<</S/JavaScript/JS(app.alert(1))>>';
    my $file   = '<</Type/Filespec/F(x.exe)/EF<</F 6 0 R>>>>';
    my $crypt  = '/Encrypt<</Filter/Standard/V 1/R 2/O<' . '00' x 32 . '>/U<' . '00' x 32 . '>/P -4>>/ID[<00><00>]';
    my @rows = (
        ['encrypted with a password' => 'pdf_encrypted', trailer => $crypt],
        ['encrypted by a handler that is not known' => 'pdf_encrypted', trailer => $crypt =~ s/Standard/Notary/r],
        ['a script at opening' => 'pdf_javascript', catalog => "/OpenAction$script"],
        ['a script in the names' => 'pdf_javascript', catalog => "/Names<</JavaScript<</Names[(a)$script]>>>>"],
        ['a script of a page' => 'pdf_javascript', page => "/AA<</O$script>>"],
        ['a script of a field' => 'pdf_javascript',
            page => "/Annots[<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/Rect[0 0 9 9]/AA<</K$script>>>>]"],
        ['a script behind another action' => 'pdf_javascript', catalog => "/OpenAction<</S/URI/URI(x)/Next[$script]>>"],
        ['a script spelled otherwise' => 'pdf_javascript', catalog => '/OpenAction<</S/J#61vaScript/#4aS(1)>>'],
        ['a script that nothing refers to' => 'pdf_javascript', more => [$script]],
        ['a script in a stream' => 'pdf_javascript', catalog => '/OpenAction<</S/JavaScript/JS 5 0 R>>',
            more => [stream('app.alert(1)')]],
        ['a program at opening' => 'pdf_launch', catalog => '/OpenAction<</S/Launch/F(calc.exe)>>'],
        ['a program behind a link' => 'pdf_launch',
            page => '/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F(x)>>>>]'],
        ['an attachment' => 'pdf_attachment', catalog => "/Names<</EmbeddedFiles<</Names[(x)5 0 R]>>>>",
            more => [$file, stream('MZ', '/Type/EmbeddedFile')]],
        ['a note with an attachment' => 'pdf_attachment',
            page => "/Annots[<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS 5 0 R>>]",
            more => [$file, stream('MZ')]],
        ['a film' => 'pdf_attachment', page => '/Annots[<</Type/Annot/Subtype/RichMedia/Rect[0 0 9 9]>>]'],
        ['a jump into an attachment' => 'pdf_attachment', catalog => '/OpenAction<</S/GoToE/T<</R/C>>>>'],
        ['a dynamic form' => 'pdf_xfa', catalog => '/AcroForm<</Fields[]/XFA 5 0 R>>', more => [stream('<xdp/>')]],
        ['a script and an attachment' => 'pdf_javascript', catalog => "/OpenAction$script",
            more => [$file, stream('MZ', '/Type/EmbeddedFile')]],
    );
    for my $row (@rows) {
        my ($name, $verdict, %more) = @$row;
        is $inspector->verdict('pdf', pdf_page(%more)), $verdict, $name;
    }

    # The same in an object stream, which a search for words does not see.
    my $hidden = stream(Compress::Zlib::compress('6 0 <</S/JavaScript/JS(app.alert(1))>>'),
        '/Type/ObjStm/N 1/First 4/Filter/FlateDecode');
    my @objects = ('<</Type/Catalog/Pages 2 0 R/OpenAction 6 0 R>>', '<</Type/Pages/Kids[3 0 R]/Count 1>>',
        '<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>', $hidden);
    is $inspector->verdict('pdf', pdf_compressed(\@objects, 6 => 4)), 'pdf_javascript',
        'a script in a compressed object';
};

subtest 'damage' => sub {
    my $good = pdf_page();
    my @rows = (
        ['no table of objects', $good =~ s/xref.*?trailer/trailer/sr, 'ok'],
        ['a wrong table of objects', $good =~ s/^0000000(\d)/0000009$1/mgr, 'ok'],
        ['a wrong start of the table', $good =~ s/startxref\n\d+/startxref\n7/r, 'ok'],
        ['no end mark', $good =~ s/%%EOF\n//r, 'ok'],
        ['junk before it', "HTTP/1.1 200 OK\r\n\r\n$good", 'ok'],
        ['junk behind it', $good . "\0" x 500, 'ok'],
        ['a wrong length of a stream', $good =~ s{/Length \d+}{/Length 3}r, 'ok'],
        ['no pages', pdf(['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[]/Count 0>>']), 'damaged'],
        ['no catalogue', pdf(['<<>>']), 'damaged'],
        ['pages that are their own parents',
            pdf(['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[2 0 R]/Count 1>>']), 'damaged'],
        ['half of it', substr($good, 0, 60), 'damaged'],
        ['only its first line', "%PDF-1.7\n", 'damaged'],
        ['a picture under its name', png(), 'damaged'],
    );
    my @once  = $inspector->verdicts({}, map { ['pdf', $_->[1]] } @rows);
    my @twice = $inspector->verdicts({}, map { ['pdf', $_->[1]] } @rows);
    is $once[$_], $rows[$_][2], $rows[$_][0] for 0 .. $#rows;
    is_deeply \@twice, \@once, 'the same verdicts on a second try';

    my @cuts = $inspector->verdicts({},
        map { ['pdf', substr $good, 0, $_] } grep { $_ % 7 == 0 } 1 .. length($good) - 1);
    is join(' ', grep { $_ !~ /\A(?:ok|damaged)\z/ } @cuts), '', 'no truncation does worse than be refused';
    is $cuts[20], 'damaged', 'one within its objects is';
};

$inspector->stop;
done_testing;
