package Sandbox::RegistryRules;

# What an entry of the registry may look like. Only the form is judged here,
# not the check digit: the hall has to judge it, and a few codes that were
# really issued fail it, so a test must be able to register one.

use v5.36;
use utf8;
use warnings FATAL => 'all';

use Exporter qw(import);
use Sandbox::Value qw(is_text);

our @EXPORT_OK = qw(LISTS check_lists);

use constant NAME => (qr/\A(?!\s)[^\p{Cntrl}]{1,100}(?<!\s)\z/, '1 to 100 characters of text');

# field, pattern, what the pattern wants in words
use constant LISTS => {
  people => {
    key    => 'id_number',
    fields => [
      [name => NAME],
      ['id_number', qr/\A[1-9]\d{16}[\dX]\z/a, '17 digits and a digit or X'],
      ['mobile',    qr/\A1[3-9]\d{9}\z/a,      '11 digits beginning 13 to 19'],
    ],
  },
  organizations => {
    key    => 'uscc',
    fields => [
      [name => NAME],
      ['uscc', qr/\A[0-9A-HJ-NPQRTUWXY]{18}\z/, '18 characters, digits and letters but I O S V Z'],
      [legal_name => NAME],
      ['legal_id_number', qr/\A[0-9A-Z()-]{5,20}\z/, '5 to 20 digits, letters, brackets or hyphens'],
    ],
  },
};

# Returns the lists with codes in upper case, and all that is wrong with
# them as [{item, reason}]. Either of the two decides nothing alone: the
# lists may be used only when nothing is wrong.
sub check_lists ($input) {
  return ({}, [{item => '', reason => 'must be a JSON object'}]) if ref $input ne 'HASH';
  my (%lists, @wrong);
  for my $list (sort keys %$input) {
    my $items = $input->{$list};
    if (!LISTS->{$list}) {
      push @wrong, {item => $list, reason => 'unknown list'};
    }
    elsif (ref $items ne 'ARRAY') {
      push @wrong, {item => $list, reason => 'must be an array'};
    }
    else {
      $lists{$list} = [map { _check_item($list, $_, $items->[$_], \@wrong) } keys @$items];
    }
  }
  return (\%lists, \@wrong);
}

sub _check_item ($list, $index, $item, $wrong) {
  if (ref $item ne 'HASH') {
    push @$wrong, {item => "$list\[$index]", reason => 'must be an object'};
    return;
  }
  my %kept;
  for my $rule (LISTS->{$list}{fields}->@*) {
    my ($field, $pattern, $wanted) = @$rule;
    my $value = $item->{$field};
    $value = uc $value if is_text($value) && $field =~ /uscc|id_number/;
    $kept{$field} = $value;
    next if is_text($value) && $value =~ $pattern;
    my $reason = defined $value ? "must be $wanted" : 'is missing';
    push @$wrong, {item => "$list\[$index].$field", reason => $reason};
  }
  return \%kept;
}

1;
